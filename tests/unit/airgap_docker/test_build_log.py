"""A build shows where it is in one line, and keeps the rest for the day that it fails."""

from airgap.plugins.docker.build_log import SECONDS_BETWEEN, BuildLog


class Display:
    """Collects what is shown; `seconds` is its clock."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.debugged: list[str] = []
        self.seconds = 0.0
        self.log = BuildLog(self.shown.append, self.debugged.append, lambda: self.seconds)


def test_a_hundred_lines_of_a_quick_build_show_as_one() -> None:
    display = Display()

    for step in range(1, 17):
        display.log.built({"stream": f"Step {step}/16 : RUN true\n"})
        for noise in (" ---> Running in 0123\n", "Removing intermediate container 0123\n", "Collecting x"):
            display.log.built({"stream": noise})

    assert display.shown == ["building, step 1 of 16: RUN true"]
    assert len(display.debugged) == 64
    assert display.log.whole.splitlines()[-1] == "Collecting x"
    assert display.log.step == "Step 16/16 : RUN true"


def test_a_long_build_says_where_it_is_from_time_to_time() -> None:
    display = Display()

    for step in range(1, 5):
        display.seconds += SECONDS_BETWEEN
        display.log.built({"stream": f"Step {step}/4 : RUN true"})

    assert display.shown == [f"building, step {step} of 4: RUN true" for step in range(1, 5)]


def test_a_push_says_how_much_of_all_layers_is_done() -> None:
    display = Display()

    for megabytes in (0, 20, 40):
        display.seconds += SECONDS_BETWEEN
        detail = {"current": megabytes * 10**6, "total": 4 * 10**7}
        display.log.pushed({"id": "a", "status": "Pushing", "progressDetail": detail})
    display.seconds += SECONDS_BETWEEN
    display.log.pushed({"id": "b", "status": "Pushing", "progressDetail": {"current": 10**7, "total": 2 * 10**7}})
    display.log.pushed({"id": "b", "status": "Pushed", "progressDetail": {}})
    display.log.pushed({"id": "c", "status": "Layer already exists", "progressDetail": {}})
    display.seconds += SECONDS_BETWEEN
    display.log.pushed({"id": "a", "status": "Pushed", "progressDetail": {}})

    assert display.shown == [
        "pushing, 0 of 40 MB", "pushing, 20 of 40 MB", "pushing, 40 of 40 MB", "pushing, 50 of 60 MB",
        "pushing, 60 of 60 MB",
    ]  # fmt: skip
    assert "c Layer already exists" in display.debugged
