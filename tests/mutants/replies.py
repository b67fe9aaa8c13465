"""3: replies."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_RULES = "tests/rules/test_reply.py::"
_INTERACTIONS = "tests/actors/test_interactions.py::"
_RETRIER = "tests/actors/test_retrier.py::"
_REPLIES = "tests/models/test_transitions_replies.py::"
_CLAIMS = "tests/models/test_transitions_claims.py::"
_LOCKS = "tests/models/test_locks.py::"

MUTANTS = [
    # 3.1 A reply needs a promised Message 1; in doubt it parks.
    Mutant("3.1", "a reply needs a promised Message 1", "models/sql/replies.sql",
        "AND m.promised_at IS NOT NULL AND m.status NOT IN ('pending', 'cancelled')", "",
        (f"{_INTERACTIONS}test_a_message_1_that_waits_to_be_sent_takes_no_reply_from_the_one_before",)),
    Mutant("3.1", "who writes before the promise has not replied", "rules/reply.py",
        "if _before_promise(first.promised_at, heard.own_time):", "if False:",
        (f"{_RULES}test_who_wrote_before_message_1_but_was_heard_after_it_has_not_replied",
         f"{_INTERACTIONS}test_what_was_written_before_the_promise_and_digested_after_it_is_no_reply")),
    Mutant("3.1", "a reply to a doubt parks", "rules/reply.py",
        "if first.status in _IN_DOUBT:", "if False:",
        (f"{_RULES}test_a_reply_to_a_message_in_doubt_is_parked",
         f"{_INTERACTIONS}test_a_reply_that_comes_before_the_send_is_recorded_counts")),
    Mutant("3.1", "a parked reply triggers the look-up at once", "actors/interactions.py",
        'wake("settle_doubts", match.sender["id"])', "pass",
        (f"{_INTERACTIONS}test_a_parked_reply_has_its_message_looked_up_at_once",)),
    Mutant("3.1", "the look-up of a parked reply waits for nothing", "models/sql/doubts.sql",
        "OR EXISTS (SELECT FROM inbox i WHERE i.parked_for = m.id AND i.digested_at IS NULL))", ")",
        (f"{_RETRIER}test_a_reply_that_waits_makes_a_fresh_promise_be_looked_up",)),
    Mutant("3.1", "a reply proves what nobody could tell", "actors/interactions.py",
        'if match.answered["status"] == MessageStatus.SENDING:', "if True:",
        (f"{_INTERACTIONS}test_a_reply_proves_a_message_1_of_which_nobody_could_tell",)),
    Mutant("3.1", "a reply is no proof while a look-up may tell", "actors/interactions.py",
        'if match.answered["status"] == MessageStatus.SENDING:', "if False:",
        (f"{_INTERACTIONS}test_a_reply_that_comes_before_the_send_is_recorded_counts",)),
    Mutant("3.1", "the retrier lets a parked reply go", "actors/retrier.py",
        'await process.unpark([row["id"] for row in [*moved, *doubted]])', "pass",
        (f"{_RETRIER}test_a_reply_that_waits_for_a_look_up_is_let_go_by_it",)),
    Mutant("3.1", "recording a Message 1 lets its parked reply go", "actors/process.py",
        "await self.unpark([entry.promise.message for entry in entries if entry.promise.step == 1])", "pass",
        ("tests/actors/test_recorder.py::test_a_recorded_message_1_lets_the_reply_go_that_waited_for_it",)),

    # 3.2 The window.
    Mutant("3.2", "a promise counts from its full second", "rules/reply.py",
        "return written_at < promised_at.replace(microsecond=0) - EARLY", "return written_at < promised_at - EARLY",
        (f"{_RULES}test_the_edges_of_the_window",)),
    Mutant("3.2", "less two seconds", "rules/reply.py",
        "EARLY: Final = timedelta(seconds=2)", "EARLY: Final = timedelta(0)",
        (f"{_RULES}test_the_edges_of_the_window",)),
    Mutant("3.2", "the earlier of two clocks counts", "rules/reply.py",
        "and min(at, received_at) < sent_at + window", "and received_at < sent_at + window",
        (f"{_RULES}test_the_window_is_the_law_of_the_earlier_clock",)),
    Mutant("3.2", "the window's end is outside", "rules/reply.py",
        "and min(at, received_at) < sent_at + window", "and min(at, received_at) <= sent_at + window",
        (f"{_RULES}test_the_edges_of_the_window",)),

    # 3.3 Two spellings of one number are one person.
    Mutant("3.3", "spellings have one identity", "actors/interactions.py",
        'person = identity(event.phone) if event.phone else event.lid or "nobody"',
        'person = event.phone or event.lid or "nobody"',
        (f"{_INTERACTIONS}test_numbers_that_whatsapp_spells_its_own_way_are_recognised",)),
    Mutant("3.3", "one person is one recipient", "models/sql/launch.sql",
        "SELECT g.id, running.id, g.contact, g.identity, 'launched', 'launcher'",
        "SELECT g.id, running.id, g.contact, g.contact::text, 'launched', 'launcher'",
        ("tests/models/test_transitions_campaigns.py::test_two_spellings_of_one_person_are_one_recipient",
         "tests/actors/test_launcher.py::test_a_person_in_two_spellings_is_one_recipient")),

    # 3.4 Two campaigns, two replies.
    Mutant("3.4", "the latest Message 1 is answered", "models/sql/replies.sql",
        "coalesce(m.sent_at, m.promised_at) DESC\nLIMIT 1", "coalesce(m.sent_at, m.promised_at)\nLIMIT 1",
        (f"{_INTERACTIONS}test_two_campaigns_and_two_replies_bring_one_message_2_of_the_latest",)),
    Mutant("3.4", "answered or not", "models/sql/replies.sql",
        "         (m.status <> 'failed') DESC,", "         (m.status <> 'failed') DESC, (r.replied_at IS NULL) DESC,",
        (f"{_INTERACTIONS}test_two_campaigns_and_two_replies_bring_one_message_2_of_the_latest",)),
    Mutant("3.4", "a quote reaches an older one", "models/sql/replies.sql",
        "ORDER BY ((m.whatsapp_message_id = :quoted::text) IS TRUE) DESC,", "ORDER BY (:quoted::text IS NOT NULL),",
        (f"{_INTERACTIONS}test_a_quote_reaches_an_older_campaign",)),
    Mutant("3.4", "only a quote does", "models/sql/replies.sql",
        "((m.whatsapp_message_id = :quoted::text) IS TRUE) DESC", "(m.whatsapp_message_id = :quoted::text) DESC",
        (f"{_INTERACTIONS}test_a_quote_of_something_unknown_does_not_lead_to_an_older_campaign",)),
    Mutant("3.4", "of the device that received it", "models/sql/replies.sql",
        "WHERE m.contact = ANY(:contacts::uuid[]) AND m.sender = :sender AND m.step = 1",
        "WHERE m.contact = ANY(:contacts::uuid[]) AND :sender::uuid IS NOT NULL AND m.step = 1",
        (f"{_INTERACTIONS}test_an_answer_to_another_number_of_ours_is_no_reply_to_this_one",)),
    Mutant("3.4", "replies of one contact take turns", "models/sql/replies.sql",
        "WHERE identity = :identity::text OR lid = :lid::text\nORDER BY id FOR NO KEY UPDATE;",
        "WHERE identity = :identity::text OR lid = :lid::text\nORDER BY id;",
        (f"{_INTERACTIONS}test_a_reply_waits_for_whoever_decides_about_its_person",)),
    Mutant("3.4", "there is one Message 2", "models/sql/replies.sql",
        "WHERE id = :recipient AND state = ANY(:from_states::text[])",
        "WHERE id = :recipient AND :from_states::text[] IS NOT NULL",
        (f"{_REPLIES}test_a_reply_of_somebody_it_does_not_concern_moves_nothing",)),

    # 3.5 STOP against a promise.
    Mutant("3.5", "the promise of Message 2 reads the person's word", "models/sql/replies.sql",
        "AND m.id = :message AND c.opted_out_at IS NULL FOR NO KEY UPDATE OF c",
        "AND m.id = :message FOR NO KEY UPDATE OF c",
        (f"{_LOCKS}test_a_message_2_made_while_its_person_says_stop_is_never_sent",
         f"{_REPLIES}test_a_pending_message_2_of_somebody_who_stopped_is_not_promised")),
    Mutant("3.5", "under the person's lock", "models/sql/replies.sql",
        "AND m.id = :message AND c.opted_out_at IS NULL FOR NO KEY UPDATE OF c",
        "AND m.id = :message AND c.opted_out_at IS NULL",
        (f"{_LOCKS}test_a_promise_reads_a_stop_that_is_being_written_by_hand",)),
    Mutant("3.5", "the promise of Message 1 reads the person's word", "models/sql/lane.sql",
        "AND c.opted_out_at IS NULL AND (:only::uuid[] IS NULL", "AND (:only::uuid[] IS NULL",
        (f"{_CLAIMS}test_who_opted_out_is_never_claimed",)),
    Mutant("3.5", "Message 1 is promised under the person's lock", "models/sql/lane.sql",
        "FOR NO KEY UPDATE OF c, m SKIP LOCKED", "FOR NO KEY UPDATE OF m SKIP LOCKED",
        (f"{_CLAIMS}test_a_row_that_somebody_holds_is_passed_over_without_waiting",)),
    Mutant("3.5", "STOP cancels what is pending in every campaign", "models/sql/replies.sql",
        "WHERE m.contact = ANY(:contacts::uuid[]) AND m.status = 'pending' AND",
        "WHERE m.contact = ANY(:contacts::uuid[]) AND m.status = 'none' AND",
        (f"{_REPLIES}test_stop_ends_everything_of_a_person_in_every_campaign",)),
    Mutant("3.5", "and for every spelling of the person", "actors/interactions.py",
        '[c["id"] for c in match.contacts],\n            recipient=', '[match.contact["id"]],\n            recipient=',
        (f"{_INTERACTIONS}test_stop_of_one_spelling_stops_the_other",)),
]  # fmt: skip
