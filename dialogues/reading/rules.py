"""The numbers of the rules. README.md explains each, and the tests have a file that violates it."""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """The value is the number used by README.md, by faults and by the test files."""

    # How a file is written
    TEXT = "R1"
    HEADER = "R2"
    HEADER_LINE = "R3"
    HEADER_VALUE = "R4"
    MENU = "R5"
    QUIET = "R6"
    TITLE = "R7"
    HEADINGS = "R8"
    STEP_NAME = "R9"
    STEP_ONCE = "R10"
    UNSUPPORTED = "R11"
    PLAIN_WORDS = "R12"
    LINE_BREAK = "R13"
    WORDINGS = "R14"
    PICTURE = "R15"
    TEMPLATE = "R16"
    # The ways on
    WAYS_LAST = "R17"
    WAY_IS_LINK = "R18"
    TARGET = "R19"
    LABEL = "R20"
    CODE_FONT = "R21"
    KIND = "R22"
    MEMORY = "R23"
    KEEPS = "R24"
    SILENT = "R25"
    SAYS_SOMETHING = "R26"
    ONE_SILENCE = "R27"
    LABELS_DIFFER = "R28"
    RANGES = "R29"
    BUTTONS = "R30"
    # The whole conversation
    REACHED = "R31"
    COMES_TO_AN_END = "R32"
    OUTCOMES = "R33"
    SILENT_CIRCLE = "R34"
    KNOWN = "R35"
    NAME_EXISTS = "R36"
    STANDS_ALONE = "R37"
    CONDITION_EXISTS = "R38"
    # The whole book
    CONDITION_USED = "R39"
    HEARD = "R40"
    TABLES = "R41"
    PLACED = "R42"
    COMMANDS = "R43"
    CONTENTS = "R44"
    PHRASES = "R45"
    NEEDS = "R46"
    # Length and words
    BUBBLE_LENGTH = "R47"
    BEFORE_ANSWER = "R48"
    GRADE = "R49"
    SENTENCE = "R50"
    NEVER_SAY = "R51"
    STOCK = "R52"
    EXCLAMATION = "R53"
