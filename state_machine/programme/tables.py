"""THE TABLES: what the programme does when a dialogue ends, and when an answer interrupts.

A client goes through phases: *welcome* until the first true sentence is kept, then *assessment*
(Getting to know), *treatment* (Working on it), *termination* (Keeping it) and *aftercare* (Afterwards).
*Not now* is where somebody waits for whom working on relationships is not right today:
the numbers, the check-in and the map stay, and the question is asked again.

Each row of `DEPARTURES` reads: when this dialogue ends with this outcome, in these phases,
and only if this is true, then change to that phase and do these things, in order.
The first row that fits is taken. An outcome without a row closes its dialogue, and
what lay below it goes on.

Each row of `INTERRUPTS` reads: when this fact is kept, and only if this is true, do this at once;
what was open waits at its next step.

Nothing else in the product decides what comes next, but for `CONTENTS.md`, which gives the order.
"""

from __future__ import annotations

from state_machine.programme.rows import Ask, Departure, Forget, Interrupt, OfLast, Open, Pause, SimpleAction
from state_machine.safety import DangerKind

UNDER_WAY = ("assessment", "treatment", "termination", "aftercare", "not_now")

WELCOME = "welcome/first_words"
HOME = "always/home"
GO_ON = "always/go_on"
A_NOTE = "always/a_note"
GENTLE_WORD = "always/gentle_word"
BACK_AGAIN = "always/back_again"
RETENTION = "always/retention"
CLOCK = "always/clock"
CLOCK_CHECK = "always/clock_check"
REMIND = "always/remind"
TODAY = "always/today"
STILL_TO_COME = "weekly/still_to_come"
CHECK_IN = "always/check_in"
CHECK_IN_AGAIN = "always/check_in_again"
LOOKING_BACK = "always/looking_back"
LOW_WEEK = "always/low_week"
CHECKED_IN = ("done", "done_with_more")
"""Ends of a check-in after which there may be more to say."""
CHECKED_IN_LOW = (*CHECKED_IN, "done_in_company", "done_in_reach", "done_with_nobody", "done_by_choice")
"""Ends of a check-in after which a low week is asked about."""
DOORS = frozenset({HOME, CHECK_IN_AGAIN, A_NOTE, GENTLE_WORD})
"""Dialogues that only ask where to go: they are gone as soon as anything else opens."""
DOABLE_LATE = frozenset(
    {
        SimpleAction.NEXT,
        SimpleAction.START,
        SimpleAction.GO_ON,
        SimpleAction.REST,
        SimpleAction.UNPAUSE,
        SimpleAction.WRITE_AGAIN,
    }
)
"""What a button still does when its page is closed already, beside opening a dialogue."""
NOTE = "note"
"""The name notes are entered under. It is no dialogue: a note is what a client wrote where only buttons stood."""

CONSENT_VERSION = "1"

RENAMED: dict[str, str] = {}
"""Dialogues (`a/b` to `a/c`) and steps (`a/b#x` to `a/b#y`) renamed in a release, for those who stand there."""

ASKED_AGAIN = {"not_now": ("assessment/is_it_for_me", 14)}
"""By phase: the dialogue that is due again so many days after it was last finished, or after what led there."""

EATING_GATE = "gates/eating"
PHQ_9 = "measures/phq_9"
GAD_7 = "measures/gad_7"
REPEATED = (
    (EATING_GATE, 30, "eating_is_a_trouble"),
    (PHQ_9, 14, "scales_go_on"),
    (GAD_7, 28, "scales_go_on"),
)
"""What is due again so many days after it was last finished, in any phase, if that is true. What `CONTENTS.md`
does not bring a first time is due for the first time so many days after day 1."""
OFFERED_AGAIN = 2
"""A part that was put off, left or not answered is offered again on so many days, and then rests until its turn
comes round: by the tables above, or after `NEXT_TURN` days."""
NEXT_TURN = 7

SOS = "always/sos"
PERSON_GATE = "gates/person"
PLAN = "always/plan"
PLAN_MAKING = "always/plan_making"
PLAN_PARTS = ("signs", "alone", "distract", "ask", "professionals", "safer", "live_for")
"""The parts of the plan for hard moments; each is kept as `plan_` and its name."""
PLAN_NAMES = frozenset({"distract", "ask", "live_for"})
"""Parts of the plan in which somebody is named to turn to: nobody who has died, or of whom the client is afraid."""
ONE_PAGE = frozenset({PLAN_MAKING})
"""Dialogues that keep a page and not a day: only the words that stand there last, and no entry of how it was."""
FRESH_LOSS = "always/fresh_loss"
UNDER_18 = "always/under_18"
HARM_TO_OTHERS = "always/harm_to_others"
VIOLENCE = "always/violence"
MEDICAL = "always/medical"
MEDICAL_FOR_ANOTHER = "always/medical_for_another"
SOMEONE_ELSE = "always/someone_else"
AFTER_A_SUICIDE = "always/after_a_suicide"
CHILD_AT_RISK = "always/child_at_risk"
TALKS = {
    DangerKind.SELF: SOS,
    DangerKind.OTHERS: HARM_TO_OTHERS,
    DangerKind.VIOLENCE: VIOLENCE,
    DangerKind.MEDICAL: MEDICAL,
    DangerKind.SOMEONE_ELSE: SOMEONE_ELSE,
    DangerKind.AFTER_SUICIDE: AFTER_A_SUICIDE,
    DangerKind.FRESH_LOSS: FRESH_LOSS,
}
"""Which talk the first reader opens, by the kind of danger it finds."""
OPENED_BY_WORDS = frozenset({*TALKS.values(), MEDICAL_FOR_ANOTHER})
"""Every talk that words can open; the last is for another's body."""
SIGNS_OF_TAKING = frozenset({"means/overdose_taken", "body/taken_by_mistake", "body/another_swallowed"})
"""Sections of the first reader that tell of something taken: the talk about the body begins with poison advice."""
MISREADING = (HARM_TO_OTHERS, VIOLENCE, MEDICAL, MEDICAL_FOR_ANOTHER, SOMEONE_ELSE, AFTER_A_SUICIDE)
"""Talks beside the safety talk that words may open wrongly, and that somebody may leave with *I think of dying*."""
SOS_ENDINGS = ("landed", "only_numbers", "still_here", "ended_quietly")
"""After these the safety talk is over; whoever is under 18 is then told about lines for their age, and forgotten."""
FIRST_PEOPLE = "assessment/first_people"
SUITABILITY = "assessment/is_it_for_me"
MAP = "people/map"
PERSON_DIED = "people/died"
SETTINGS = "always/settings"
HEALTH_FIRST = frozenset({SUITABILITY, EATING_GATE})
"""Questions about health and safety. They are no exercise: they come also after a talk about danger, and go before
a check-in on the days on which they are offered again."""

DEPARTURES: tuple[Departure, ...] = (
    # The first five minutes
    Departure(WELCOME, "kept", ("welcome",), to="assessment", do=(SimpleAction.BEGIN,)),
    Departure(WELCOME, "declined", do=(SimpleAction.FORGET,)),
    Departure(WELCOME, "too_young", do=(SimpleAction.FORGET,)),
    Departure(WELCOME, "drifted_off", do=(SimpleAction.FORGET,)),
    # Is it for me?
    Departure(SUITABILITY, "go_on", ("not_now",), to="assessment", do=(SimpleAction.NEXT,)),
    Departure(SUITABILITY, "go_on", UNDER_WAY, do=(SimpleAction.NEXT,)),
    Departure(SUITABILITY, "with_a_doctor", ("not_now",), to="assessment", do=(SimpleAction.NEXT,)),
    Departure(SUITABILITY, "with_a_doctor", UNDER_WAY, do=(SimpleAction.NEXT,)),
    Departure(SUITABILITY, "not_now", UNDER_WAY, to="not_now"),
    # Scales
    Departure(PHQ_9, "filled", only_if="clinician_due", do=(Open("measures/see_a_clinician"),)),
    Departure(PHQ_9, "put_off", do=(SimpleAction.POSTPONE,)),
    Departure(GAD_7, "put_off", do=(SimpleAction.POSTPONE,)),
    # People
    Departure(FIRST_PEOPLE, "not_today", do=(SimpleAction.POSTPONE,)),
    Departure(FIRST_PEOPLE, "three", only_if="hour_not_chosen", do=(Open(REMIND),)),
    Departure(FIRST_PEOPLE, "fewer", only_if="hour_not_chosen", do=(Open(REMIND),)),
    Departure(MAP, "add", do=(Open("people/add"),)),
    Departure(MAP, "change", do=(Open("people/change", same_person=True),)),
    Departure(MAP, "remove", do=(Open("people/remove", same_person=True),)),
    Departure(MAP, "died", do=(Open(PERSON_DIED, same_person=True),)),
    Departure("people/change", "renamed", do=(SimpleAction.RENAME_PERSON,)),
    Departure("people/remove", "removed", do=(SimpleAction.REMOVE_PERSON,)),
    Departure(PERSON_DIED, "died", do=(SimpleAction.PERSON_DIED, SimpleAction.CLEAR)),
    Departure(PERSON_DIED, "died_quietly", do=(SimpleAction.PERSON_DIED, SimpleAction.CLEAR)),
    # Check-in
    Departure(CHECK_IN, "not_today", do=(SimpleAction.NOT_TODAY,)),
    Departure(CHECK_IN, "in_an_hour", do=(SimpleAction.SNOOZE,)),
    Departure(CHECK_IN, "numbers", do=(Open(SOS),)),
    *(Departure(CHECK_IN, end, only_if="week_is_low", do=(Open(SOS, because=LOW_WEEK),)) for end in CHECKED_IN_LOW),
    *(Departure(CHECK_IN, end, only_if="clock_may_be_wrong", do=(Open(CLOCK_CHECK),)) for end in CHECKED_IN),
    *(Departure(CHECK_IN, end, do=(SimpleAction.LOOK_BACK,)) for end in CHECKED_IN),
    Departure(CHECK_IN_AGAIN, "another", do=(Open(CHECK_IN),)),
    Departure(CHECK_IN_AGAIN, "change_last", do=(OfLast("change", CHECK_IN),)),
    Departure(CHECK_IN_AGAIN, "for_yesterday", do=(OfLast("for_yesterday", CHECK_IN),)),
    Departure(CHECK_IN_AGAIN, "strike_last", do=(OfLast("strike", CHECK_IN),)),
    # Safety
    Departure(SOS, "misread", do=(SimpleAction.NOT_SO_MEANT, SimpleAction.GO_ON)),
    Departure(SOS, "plan", do=(Open("always/plan"),)),
    Departure(SOS, "low_all_the_same", do=(Open(LOW_WEEK),)),
    Departure(LOW_WEEK, "plan", do=(Open("always/plan"),)),
    Departure(LOW_WEEK, "nine_questions", do=(Open(PHQ_9),)),
    Departure(SOS, "about_somebody_else", do=(Open(SOMEONE_ELSE),)),
    Departure(SOS, "about_violence", do=(Open(VIOLENCE),)),
    Departure(SOS, "about_harm", do=(Open(HARM_TO_OTHERS),)),
    Departure(SOS, "about_the_body", do=(Open(MEDICAL),)),
    *(Departure(SOS, outcome, only_if="said_to_be_under_age", do=(Open(UNDER_18),)) for outcome in SOS_ENDINGS),
    *(Departure(talk, "misread", do=(SimpleAction.NOT_SO_MEANT, SimpleAction.GO_ON)) for talk in MISREADING),
    Departure(FRESH_LOSS, "misread", do=(SimpleAction.NOT_SO_MEANT,)),
    Departure(FRESH_LOSS, "own_thoughts", do=(Open(SOS),)),
    *(Departure(talk, "own_thoughts", do=(Open(SOS),)) for talk in (*MISREADING, CHILD_AT_RISK)),
    Departure(MEDICAL, "own_harm", do=(Open(SOS),)),
    Departure(MEDICAL, "of_another", do=(Open(MEDICAL_FOR_ANOTHER),)),
    Departure(MEDICAL, "another_swallowed", do=(Open(MEDICAL_FOR_ANOTHER, because="taken"),)),
    Departure(MEDICAL_FOR_ANOTHER, "own_body", do=(Open(MEDICAL),)),
    Departure(MEDICAL_FOR_ANOTHER, "in_danger", do=(Open(SOMEONE_ELSE),)),
    Departure(VIOLENCE, "hurt", do=(Open(MEDICAL),)),
    Departure(HARM_TO_OTHERS, "hurt_myself", do=(Open(MEDICAL),)),
    Departure(HARM_TO_OTHERS, "not_safe_myself", do=(Open(VIOLENCE),)),
    *(Departure(talk, "a_child", do=(Open(CHILD_AT_RISK),)) for talk in (SOMEONE_ELSE, VIOLENCE, HARM_TO_OTHERS)),
    Departure(CHILD_AT_RISK, "not_safe_myself", do=(Open(VIOLENCE),)),
    Departure(CHILD_AT_RISK, "under_age", do=(Open(UNDER_18),)),
    Departure(UNDER_18, "in_danger", do=(Open(SOS),)),
    Departure(UNDER_18, "let_go", do=(SimpleAction.FORGET,)),
    # The plan for hard moments, and the gates
    Departure(PLAN, "make", do=(Open(PLAN_MAKING),)),
    Departure(PLAN, "numbers", do=(Open(SOS),)),
    *(Departure(PLAN, f"change_{part}", do=(Ask(f"plan_{part}"),)) for part in PLAN_PARTS),
    *(Departure(PLAN, f"remove_{part}", do=(Forget(f"plan_{part}"), Open(PLAN))) for part in PLAN_PARTS),
    Departure(PLAN, "remove_all", do=tuple(Forget(f"plan_{part}") for part in PLAN_PARTS)),
    Departure(PLAN_MAKING, "made", do=(Open(PLAN),)),
    Departure(MAP, "gate", do=(Open(PERSON_GATE, same_person=True),)),
    Departure(EATING_GATE, "danger", UNDER_WAY, to="not_now", do=(Open(MEDICAL),)),
    Departure(EATING_GATE, "not_today", do=(SimpleAction.POSTPONE,)),
    Departure(EATING_GATE, "fell_quiet", do=(SimpleAction.POSTPONE,)),
    # The door to everything
    Departure(HOME, "check_in", do=(Open(CHECK_IN),)),
    Departure(HOME, "people", do=(Open(MAP),)),
    Departure(HOME, "next", do=(SimpleAction.START,)),
    Departure(GO_ON, "go_on", do=(SimpleAction.GO_ON,)),
    Departure(GO_ON, "leave_it", do=(SimpleAction.PUT_ASIDE,)),
    Departure("always/help", "numbers", do=(Open(SOS),)),
    Departure("always/help", "plan", do=(Open(PLAN),)),
    Departure(HOME, "plan", do=(Open(PLAN),)),
    # Time
    Departure(A_NOTE, "open", only_if="something_waits", do=(SimpleAction.GO_ON,)),
    Departure(A_NOTE, "open", only_if="wrote_for_a_check_in", do=(Open(CHECK_IN),)),
    Departure(A_NOTE, "open", do=(SimpleAction.NEXT,)),
    Departure(A_NOTE, "open_instead", only_if="something_waits", do=(SimpleAction.GO_ON,)),
    Departure(A_NOTE, "open_instead", do=(SimpleAction.NEXT,)),
    Departure(CLOCK_CHECK, "right", only_if="several_places_fit", do=(SimpleAction.SETTLE_ZONE, Open(CLOCK))),
    Departure(CLOCK_CHECK, "right", do=(SimpleAction.SETTLE_ZONE,)),
    Departure(CLOCK_CHECK, "another_time", do=(Ask("zone"),)),
    Departure(GENTLE_WORD, "check_in", do=(Open(CHECK_IN),)),
    Departure(GENTLE_WORD, "next", do=(SimpleAction.START,)),
    Departure(GENTLE_WORD, "rest", do=(SimpleAction.REST,)),
    Departure(BACK_AGAIN, "as_before", do=(SimpleAction.UNPAUSE, SimpleAction.NEXT)),
    Departure(BACK_AGAIN, "change", do=(SimpleAction.UNPAUSE, Open(REMIND))),
    Departure(BACK_AGAIN, "rest", do=(SimpleAction.REST, Open(HOME))),
    Departure(REMIND, "change_look_in", do=(Ask("look_in"),)),
    Departure(REMIND, "change_clock", do=(Ask("zone"),)),
    Departure(RETENTION, "erase", do=(SimpleAction.ERASE,)),
    Departure(TODAY, "now", do=(SimpleAction.START,)),
    Departure("always/why", "change", do=(Open(REMIND),)),
    # Settings, pause, export, delete
    Departure(SETTINGS, "change_name", do=(Ask("name"),)),
    Departure(SETTINGS, "change_country", do=(Ask("country"),)),
    Departure(SETTINGS, "change_look_in", do=(Ask("look_in"),)),
    Departure(SETTINGS, "change_phone", do=(Ask("phone"),)),
    Departure(SETTINGS, "withdraw", do=(Open("always/delete"),)),
    Departure("always/pause", "a_week", do=(Pause(7), SimpleAction.CLEAR)),
    Departure("always/pause", "two_weeks", do=(Pause(14), SimpleAction.CLEAR)),
    Departure("always/pause", "until_i_write", do=(Pause(None), SimpleAction.CLEAR)),
    Departure("always/pause", "not_paused", do=(SimpleAction.UNPAUSE,)),
    Departure("always/export", "export", do=(SimpleAction.EXPORT,)),
    Departure("always/delete", "export_first", only_if="someone_frightens_them", do=(Open("always/export"),)),
    Departure("always/delete", "export_first", do=(SimpleAction.EXPORT,)),
    Departure("always/delete", "delete", do=(SimpleAction.ERASE,)),
    # Still to be written; the rows stand so that the phases are whole
    Departure("assessment/agreement", "agreed", ("assessment",), to="treatment"),
    Departure("working/taking_along", "taken_along", ("treatment",), to="termination"),
    Departure("keeping/goodbye", "afterwards", ("termination",), to="aftercare"),
    Departure("keeping/goodbye", "begin_again", ("termination",), to="assessment"),
    Departure("afterwards/six_months", "begin_again", ("aftercare",), to="assessment"),
)

INTERRUPTS: tuple[Interrupt, ...] = (
    Interrupt("consent", None, SimpleAction.BEGIN),
    Interrupt("phq9_9", "item_9_positive", Open(SOS)),
    Interrupt("ending_life", "ending_life_on_their_mind", Open(SOS)),
    Interrupt("mood", "mood_is_bottom", Open(SOS)),
    Interrupt("felt", "heavy_feeling", Open(SOS, because="unsure")),
    Interrupt("day_feelings", "heavy_feeling", Open(SOS, because="unsure")),
    Interrupt("open_plan", None, Open("always/plan")),
    Interrupt("look_in", None, SimpleAction.WRITE_AGAIN),
    Interrupt("remind_at", None, SimpleAction.WRITE_AGAIN),
    Interrupt("country", "country_changed_to_several_zones", Ask("zone")),
    Interrupt("zone", "given_by_itself", Open(CLOCK)),
    *(Interrupt(f"plan_{part}", "given_by_itself", Open(PLAN)) for part in PLAN_PARTS),
)

WHEN_IDLE = (("is_back_after_long", BACK_AGAIN), ("clock_may_be_wrong", CLOCK_CHECK))
"""Whenever nothing is open: if this is true, this is asked before anything that is due."""


def opened() -> set[str]:
    """The dialogues that a table or a rule of the engine opens."""
    actions = [action for row in DEPARTURES for action in row.do] + [row.do for row in INTERRUPTS]
    by_tables = {a.dialogue for a in actions if isinstance(a, Open)}
    by_tables |= {a.dialogue for a in actions if isinstance(a, OfLast) and a.what != "strike"}
    by_tables |= {PERSON_GATE, LOOKING_BACK, *(dialogue for dialogue, _, _ in REPEATED)}
    by_rules = {
        UNDER_18,
        A_NOTE,
        GENTLE_WORD,
        BACK_AGAIN,
        RETENTION,
        WELCOME,
        HOME,
        GO_ON,
        STILL_TO_COME,
        CHECK_IN_AGAIN,
    }
    by_rules |= {dialogue for _, dialogue in WHEN_IDLE}
    return by_tables | by_rules | set(TALKS.values())


def asked() -> set[str]:
    """The memories that a table asks for again."""
    return {a.memory for row in DEPARTURES for a in row.do if isinstance(a, Ask)}


def conditions() -> set[str]:
    """The conditions that the tables name."""
    names = {row.only_if for row in DEPARTURES} | {row.only_if for row in INTERRUPTS}
    names |= {name for name, _ in WHEN_IDLE} | {"after_danger"}
    names |= {only_if for _, _, only_if in REPEATED}
    return {name for name in names if name}


ABOUT_A_PERSON = frozenset(
    action.dialogue for row in DEPARTURES for action in row.do if isinstance(action, Open) and action.same_person
)
"""The dialogues that are opened about a person chosen before, and mean nothing without one."""
