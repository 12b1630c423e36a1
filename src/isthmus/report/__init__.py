"""One HTML page about a fitted model: what it learned, how well, and what to be careful about."""

from isthmus.report.page import write_report as write_report

__all__ = ["write_report"]
