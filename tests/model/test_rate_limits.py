"""How long a server asks to be left alone."""

import pytest

from engine.model.rate_limits import wait_asked, wait_words

AT = 1_800_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"retry-after": "30"}, 30.0),
        (420, {"retry-after": "30"}, 30.0),
        (429, {"retry-after": "Fri, 15 Jan 2027 08:00:20 GMT"}, 20.0),
        (429, {"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0.0),
        (429, {"x-ratelimit-reset": "12.5"}, 12.5),
        (429, {"x-ratelimit-reset": "1800000042"}, 42.0),  # epoch seconds
        (429, {"retry-after": "5", "x-ratelimit-reset": "50"}, 5.0),
        (429, {"retry-after": "soon", "x-ratelimit-reset": "50"}, 50.0),
        (429, {}, 9.0),
        (429, {"retry-after": "nan"}, 9.0),
        (429, {"retry-after": "inf"}, 9.0),
        (429, {"retry-after": "-5"}, 0.0),
        (429, {"retry-after": "1e8"}, 3600.0),
        (503, {"retry-after": "30"}, 30.0),
        (503, {"x-ratelimit-reset": "30"}, 0.0),
        (503, {}, 0.0),
        (500, {"retry-after": "30"}, 0.0),
        (200, {"retry-after": "30"}, 0.0),
    ],
)
def test_f29_wait_that_is_asked_for(
    status: int, headers: dict[str, str], expected: float
) -> None:
    """
    Seconds, dates and moments are understood; nothing asks for more than an hour.
    """
    assert expected == wait_asked(status, headers, AT, otherwise=9.0)


def test_f29_words_of_a_limit_hold_numbers_only() -> None:
    """
    Words in a header, which may be anything, are not shown.
    """
    asked = {"x-ratelimit-limit": "100", "x-ratelimit-period": "60"}
    odd = {"x-ratelimit-limit": "<b>", "x-ratelimit-period": "60"}

    assert ": 100 requests in 60 s are used up" == wait_words(429, asked, AT)
    assert "" == wait_words(429, odd, AT)
    assert ", asks to wait 3 s" == wait_words(503, {"retry-after": "2.5"}, AT)
    assert "" == wait_words(200, asked, AT)
