"""The configuration: one YAML file, overridden by the environment; all of it optional.

What is here: the settings, where each value comes from (default, file and line, or
variable), and every problem at its place, as runbooks have it. What is not: what the
settings are used for (bootstrap), the values of secrets (read when they are needed).

The file is `--config`, else $RUNBOOK_CONFIG, else `engine.yaml` in the current folder.
`data`, `runbooks` and the files of `secrets` are relative to the folder of the file; a
value from the environment is relative to the current folder.

Read by: bootstrap and the entry points.
"""

from engine.config.loading import Config, load_config
from engine.config.settings import (
    Person,
    SecretSource,
    Settings,
)

__all__ = ["Config", "Person", "SecretSource", "Settings", "load_config"]
