"""What a person reads after switching something off or on."""

import pytest

from integrationd.cli.switching import describe
from integrationd.model.switches import Switch


def done(name="shop", *, changed=True, paused=False, disabled=False, all_paused=False):
    """Build an answer."""
    return {
        "integration": name,
        "changed": changed,
        "paused": paused,
        "disabled": disabled,
        "all_paused": all_paused,
    }


PAUSE, DISABLE = (Switch.PAUSED, True), (Switch.DISABLED, True)
RESUME, ENABLE = (Switch.PAUSED, False), (Switch.DISABLED, False)


@pytest.mark.parametrize(
    ("answer", "asked", "text"),
    [
        pytest.param(
            done(paused=True),
            PAUSE,
            "shop is paused: schedules and deliveries stop; webhooks are still stored, and 'sync' "
            "still works\ngo on with: integrationd resume shop",
            id="pause",
        ),
        pytest.param(
            done(None, paused=True, all_paused=True, changed=False),
            PAUSE,
            "everything is paused already: schedules and deliveries stop; webhooks are still "
            "stored, and 'sync' still works\ngo on with: integrationd resume",
            id="pause everything again",
        ),
        pytest.param(
            done(disabled=True),
            DISABLE,
            "shop is disabled: neither its schedules nor 'sync' read it; webhooks are still "
            "stored\nback with: integrationd enable shop",
            id="disable",
        ),
        pytest.param(done(), RESUME, "shop runs again; what was missed is read once", id="resume"),
        pytest.param(
            done(None), RESUME, "everything runs again; what was missed is read once", id="all"
        ),
        pytest.param(
            done(changed=False),
            ENABLE,
            "shop runs, as before",
            id="enable what was not disabled",
        ),
        pytest.param(
            done(paused=True),
            ENABLE,
            "shop is still paused\ngo on with: integrationd resume shop",
            id="enabled but paused",
        ),
        pytest.param(
            done(disabled=True),
            RESUME,
            "shop is still disabled\nback with: integrationd enable shop",
            id="resumed but disabled",
        ),
        pytest.param(
            done(all_paused=True),
            RESUME,
            "shop runs when everything does, which is paused\ngo on with: integrationd resume",
            id="resumed while everything is paused",
        ),
    ],
)
def test_answer_says_what_stands_and_the_way_back(answer, asked, text):
    """Whatever was asked, and whatever else is off."""
    switch, on = asked

    assert describe(answer, switch, on=on) == text
