"""Calendars by hand through the API."""

from typing import Any

import pytest

from tests.webapp.api.client import Program

PLANT = {"name": "plant", "dates": {"2026-03-04": "Founders' Day"}}


def test_one_is_made_read_edited_deleted_and_restored(admin: Program) -> None:
    made = admin.post("/calendars", PLANT | {"half_days": {"2026-12-24": "13:00"}})
    assert (made["name"], made["source"]) == ("plant", "CUSTOM")
    assert made["written"]["half_days"] == {"2026-12-24": "13:00"}
    assert admin.get("/calendars/plant?year=2026")["holidays"][0]["name"] == "Founders' Day"
    nightly = {"name": "Nightly", "cron": "0 2 * * *", "calendar": "plant", "mode": "ALL_JOBS"}
    admin.post("/schedules", nightly)
    edited = admin.send("PUT", "/calendars/plant", {"half_days": None, "weekend": ["fri"]})
    assert edited["written"] == {"dates": PLANT["dates"], "weekend": ["fri"]}
    assert edited["followed"] == edited["used_by"] == ["nightly"]
    said = admin.refused(409, "DELETE", "/calendars/plant")
    assert "is used by schedule nightly" in str(said)
    admin.send("DELETE", "/schedules/nightly")
    gone = admin.send("DELETE", "/calendars/plant")
    assert gone["restore"] == "/api/admin/calendars/plant/restore"
    assert admin.get("/calendars")["items"] == []
    assert admin.post("/calendars/plant/restore")["deleted"] is False


def test_files_are_taken_as_text(admin: Program) -> None:
    text = "date,name\n2026-12-24,Eve\n"
    made = admin.post("/calendars", {"name": "from-csv", "csv": text, "dates": {"2026-12-25": "X"}})
    assert made["written"]["dates"] == {"2026-12-24": "Eve", "2026-12-25": "X"}
    event = "BEGIN:VEVENT\nDTSTART:20261224\nDTEND:20261226\nSUMMARY:Days\nEND:VEVENT\n"
    made = admin.post("/calendars", {"name": "from-ics", "ics": event})
    assert made["written"]["dates"] == {"2026-12-24": "Days", "2026-12-25": "Days"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dates": {"soon": "x"}}, "body.dates"),
        ({"csv": "soon\nlater\n"}, "no date"),
        ({"csv": "x" * 50_001}, "body.csv"),
        ({"half_days": {"2026-12-24": "late"}}, "body.half_days"),
        ({"country": "XX"}, "is not known"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"name": "Upper Case", "weekend": ["fri"]}, "use lower-case letters"),
    ],
)
def test_what_does_not_fit_is_named(admin: Program, given: dict[str, Any], said: str) -> None:
    assert said in str(admin.refused(422, "POST", "/calendars", {"name": "plant", **given}))


def test_an_edit_that_another_overtook_is_refused(admin: Program) -> None:
    first = admin.post("/calendars", PLANT)["revision"]
    seen = {"headers": {"If-Match": f'"{first}"'}}
    assert admin.ask("PUT", "/calendars/plant", {"weekend": ["fri"]}, **seen).status_code == 200
    problem = admin.refused(412, "PUT", "/calendars/plant", {"weekend": ["sun"]}, **seen)
    assert "Calendar plant was changed by" in str(problem)
