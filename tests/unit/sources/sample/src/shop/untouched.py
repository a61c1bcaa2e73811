# ruff: noqa: RET503 (implicit returns are branches, too)
"""Never imported by any test."""


def never(flag):
    if flag:
        return 1
    for i in range(3):
        print(i)
