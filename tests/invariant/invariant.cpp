#include "tests/invariant/invariant.h"

#include "tests/invariant/a_commit_is_whole_or_not_there.h"
#include "tests/invariant/a_message_is_recorded_once.h"
#include "tests/invariant/a_refused_publish_is_kept_as_a_dead_letter.h"
#include "tests/invariant/credit_is_never_exceeded.h"
#include "tests/invariant/every_confirm_can_be_proved.h"
#include "tests/invariant/every_delivery_has_its_leaf.h"
#include "tests/invariant/every_inbox_gets_everything.h"
#include "tests/invariant/every_notice_owed_is_open_or_closed_once.h"
#include "tests/invariant/everything_waiting_is_answered.h"
#include "tests/invariant/expiry_never_drops.h"
#include "tests/invariant/heads_never_contradict.h"
#include "tests/invariant/leaves_never_go_back_in_time.h"
#include "tests/invariant/no_publish_is_taken_when_the_disk_is_full.h"
#include "tests/invariant/nobody_is_told_before_commit.h"
#include "tests/invariant/nobody_reads_anothers_mailbox.h"
#include "tests/invariant/nothing_confirmed_is_lost.h"
#include "tests/invariant/nothing_is_in_an_inbox_twice.h"
#include "tests/invariant/nothing_is_taken_from_the_revoked.h"
#include "tests/invariant/nothing_looks_sent_that_is_not.h"
#include "tests/invariant/numbers_in_a_mailbox_have_no_gaps.h"
#include "tests/invariant/order_is_kept_per_subject.h"
#include "tests/invariant/order_is_kept_per_topic.h"
#include "tests/invariant/silence_is_noticed_within_20_s.h"
#include "tests/invariant/state_after_recovery_equals_state_before.h"
#include "tests/invariant/what_is_acknowledged_is_in_the_inbox.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

void Invariant::broken(const std::string& how) const { throw simulation::Violation{sentence_, how}; }

std::vector<std::unique_ptr<Invariant>> all_of(World& world) {
    std::vector<std::unique_ptr<Invariant>> all;
    all.push_back(std::make_unique<ACommitIsWholeOrNotThere>(world));
    all.push_back(std::make_unique<AMessageIsRecordedOnce>(world));
    all.push_back(std::make_unique<ARefusedPublishIsKeptAsADeadLetter>(world));
    all.push_back(std::make_unique<CreditIsNeverExceeded>(world));
    all.push_back(std::make_unique<EveryConfirmCanBeProved>(world));
    all.push_back(std::make_unique<EveryDeliveryHasItsLeaf>(world));
    all.push_back(std::make_unique<EveryInboxGetsEverything>(world));
    all.push_back(std::make_unique<EveryNoticeOwedIsOpenOrClosedOnce>(world));
    all.push_back(std::make_unique<EverythingWaitingIsAnswered>(world));
    all.push_back(std::make_unique<ExpiryNeverDrops>(world));
    all.push_back(std::make_unique<HeadsNeverContradict>(world));
    all.push_back(std::make_unique<LeavesNeverGoBackInTime>(world));
    all.push_back(std::make_unique<NoPublishIsTakenWhenTheDiskIsFull>(world));
    all.push_back(std::make_unique<NobodyIsToldBeforeCommit>(world));
    all.push_back(std::make_unique<NobodyReadsAnothersMailbox>(world));
    all.push_back(std::make_unique<NothingConfirmedIsLost>(world));
    all.push_back(std::make_unique<NothingIsInAnInboxTwice>(world));
    all.push_back(std::make_unique<NothingIsTakenFromTheRevoked>(world));
    all.push_back(std::make_unique<NothingLooksSentThatIsNot>(world));
    all.push_back(std::make_unique<NumbersInAMailboxHaveNoGaps>(world));
    all.push_back(std::make_unique<OrderIsKeptPerSubject>(world));
    all.push_back(std::make_unique<OrderIsKeptPerTopic>(world));
    all.push_back(std::make_unique<SilenceIsNoticedWithin20S>(world));
    all.push_back(std::make_unique<StateAfterRecoveryEqualsStateBefore>(world));
    all.push_back(std::make_unique<WhatIsAcknowledgedIsInTheInbox>(world));
    return all;
}

}  // namespace flagpost::invariant
