"""Makes lines to copy of a run: for a shell, for a program, for a colleague. Pure."""

import json
import shlex

from tick.ops.queries.runs import RunDetail


def ways_to_copy(run: RunDetail, address: str) -> dict[str, str]:
    """Return the lines by label; `address` is the console's, without a slash at the end."""
    args = json.dumps(run.params or {}, ensure_ascii=False)
    job = shlex.quote(run.job_name)
    params = f" --params {shlex.quote(args)}" if run.params else ""
    body = shlex.quote(json.dumps({"params": run.params or {}}, ensure_ascii=False))
    place = shlex.quote(f"{address}/api/admin/jobs/{run.job_name}/run")
    again = {"Retry this run": f"tick retry {run.id}"} if run.can_be_retried else {}
    return {
        "Run the job again": f"tick run --job {job}{params}",
        "The same by curl": (
            'curl -X POST -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" '
            f"-d {body} {place}"
        ),
        **again,
        "Read its log": f"tick logs {run.id}{' --follow' if run.is_live else ''}",
        "Its id": str(run.id),
        "Its arguments": args,
        "A link to it": f"{address}/runs/{run.id}",
    }
