"""The house as one value.

    root: 10 crashes in 10 s, then the process ends (70)
      ├─ rate limiter   RateLimiterActor
      └─ callers        SupervisorActor: 20 crashes a minute for each caller, then that caller is let go

Order is start order; stopping is the reverse. The value can be printed, compared and tested; nothing here starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from actors.plan import Budget, Child, Plan, Sibling
from actors.rate_limiter import Limits, RateLimiterActor
from actors.store.memory import Quotas
from actors.supervision import Crash
from actors.supervisor import SupervisorActor

RATE_LIMITER = "rate limiter"
CALLERS = "callers"
HOUSE_BUDGET = Budget(crashes=10, seconds=10.0)
CALLER_BUDGET = Budget(crashes=20, seconds=60.0)


def house(limits: Limits, *, quotas: Quotas, report: Callable[[Crash], str | None]) -> Plan:
    """Everything that is started with the process. `report` is told of every crash below the root."""
    callers = Plan(CALLER_BUDGET, each=True, mourners=(Sibling(RATE_LIMITER),))
    return Plan(
        HOUSE_BUDGET,
        children=(
            Child(RATE_LIMITER, RateLimiterActor, {"limits": limits, "quotas": quotas}),
            Child(CALLERS, SupervisorActor, {"plan": callers, "report": report}),
        ),
    )


def drawn(plan: Plan, *, indent: str = "") -> Iterator[str]:
    """The plan, a line for each child."""
    for child in plan.children:
        yield f"{indent}{child.name}: {child.actor.__name__}, {child.restart}"
        inner = child.arguments.get("plan")
        if isinstance(inner, Plan):
            budget = inner.budget
            yield f"{indent}  {budget.crashes} crashes in {budget.seconds:g} s{' for each' if inner.each else ''}"
            yield from drawn(inner, indent=indent + "  ")
