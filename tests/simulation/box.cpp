#include "tests/simulation/box.h"

#include <algorithm>

namespace flagpost::simulation {

using client::OutgoingState;

Id16 ModelBox::insert(const wire::Draft& draft, const std::string& source) {
    const Instant created = clock_.now();
    const Id16 id = make_uuid7(created, random_);
    Bytes envelope = wire::make_envelope(draft, id, random_.bytes<16>(), created);
    places_[id] = outgoing_.size();
    waiting_.insert(outgoing_.size());
    outgoing_.push_back({
        {id,       std::move(envelope), source},
        { id, OutgoingState::waiting, source, draft.subject, created, {}, {}}
    });
    return id;
}

std::vector<Id16> ModelBox::enqueue(const std::vector<std::pair<wire::Draft, std::string>>& drafts) {
    std::vector<Id16> ids;
    for (const auto& [draft, source] : drafts) ids.push_back(insert(draft, source));
    return ids;
}

std::vector<client::Outgoing> ModelBox::waiting(std::size_t most, const std::optional<Id16>& after) const {
    std::vector<client::Outgoing> messages;
    const auto known = after ? places_.find(*after) : places_.end();
    auto place = known == places_.end() ? waiting_.begin() : waiting_.upper_bound(known->second);
    for (; place != waiting_.end() && messages.size() < most; ++place)
        messages.push_back(outgoing_[*place].message);
    // All but the last: whoever asks goes on behind it.
    if (plant_ == Plant::box_offers_the_newest_first && messages.size() > 2)
        std::reverse(messages.begin(), messages.end() - 1);
    return messages;
}

void ModelBox::confirmed(const std::vector<std::pair<Id16, std::uint64_t>>& ids_and_leaves) {
    for (const auto& [id, leaf] : ids_and_leaves) {
        const auto place = places_.find(id);
        if (place == places_.end()) continue;
        auto& status = outgoing_[place->second].status;
        status.state = OutgoingState::confirmed;
        status.index = leaf;
        status.refusal.reset();
        waiting_.erase(place->second);
    }
}

void ModelBox::refused(const Id16& id, const Refusal& refusal) {
    const auto place = places_.find(id);
    if (place == places_.end() || !waiting_.erase(place->second)) return;
    if (plant_ == Plant::box_throws_refusals_away) {
        places_.erase(place);
        return;
    }
    auto& status = outgoing_[place->second].status;
    status.state = OutgoingState::refused;
    status.refusal = refusal;
}

std::optional<client::OutgoingStatus> ModelBox::status(const Id16& id) const {
    const auto place = places_.find(id);
    if (place == places_.end()) return std::nullopt;
    return outgoing_[place->second].status;
}

std::vector<client::Incoming> ModelBox::receive(const std::vector<client::Incoming>& deliveries) {
    std::vector<client::Incoming> fresh;
    for (const auto& item : deliveries)
        if (received_.emplace(item.topic, item.id).second || plant_ == Plant::box_stores_repeats)
            fresh.push_back(item);
    incoming_.insert(incoming_.end(), fresh.begin(), fresh.end());
    return fresh;
}

void ModelBox::set_back(Dice& dice) {
    for (std::size_t place = outgoing_.size(); place-- > 0 && !dice.one_in(4);) {
        auto& status = outgoing_[place].status;
        if (status.state != OutgoingState::confirmed) continue;
        status.state = OutgoingState::waiting;
        status.index.reset();
        waiting_.insert(place);
    }
}

std::optional<Id16> ModelBox::acknowledge(const client::Incoming& item, schemas::Level level,
                                          const AgencyId& agency) {
    if (item.kind == schemas::Kind::answer) level = schemas::Level::opened;  // nothing is done about it
    if (item.kind == schemas::Kind::load_result || item.kind == schemas::Kind::opaque ||
        item.kind == schemas::Kind::report)
        return std::nullopt;
    const auto kept = std::ranges::find_if(
        incoming_, [&](const auto& each) { return each.topic == item.topic && each.id == item.id; });
    auto& done = level == schemas::Level::recorded ? kept->recorded : kept->opened;
    if (done) return std::nullopt;
    done = clock_.now();

    if (item.kind == schemas::Kind::review_item && level == schemas::Level::recorded) {
        schemas::ReviewDecisionValue decision;
        decision.review.assign(item.id.begin(), item.id.end());
        const auto* review = flatbuffers::GetRoot<schemas::ReviewItem>(item.payload.data());
        const bool can_send = review->will_be_told() != nullptr && review->will_be_told()->size() > 0;
        decision.verdict =
            can_send && item.id.back() % 2 == 0 ? schemas::Verdict::permit : schemas::Verdict::deny;
        decision.by = "R. Viewer";
        decision.reason = "looked_at";
        decision.at_us = to_us(*done);
        wire::Draft draft{schemas::Kind::review_decision,
                          "receipts/" + agency.text(),
                          to_hex(item.id),
                          {},
                          {},
                          item.id,
                          {}};
        draft.payload = wire::pack<schemas::ReviewDecision>(decision);
        return insert(draft, "receipt");
    }
    if (item.kind == schemas::Kind::question && level == schemas::Level::recorded) {
        const auto* asked = flatbuffers::GetRoot<schemas::Question>(item.payload.data());
        schemas::QuestionAnswerValue answer;
        answer.question.assign(asked->question()->begin(), asked->question()->end());
        answer.outcome = "answered";
        answer.text = "Nobody else.";
        answer.by = "P. Officer";
        answer.answered_us = to_us(*done);
        wire::Draft draft{
            schemas::Kind::answer, "receipts/" + agency.text(), to_hex(item.id), {}, {}, item.id, {}};
        draft.payload = wire::pack<schemas::QuestionAnswer>(answer);
        return insert(draft, "answer");
    }
    schemas::ReceiptValue receipt;  // notices and reviews have the id of the envelope that brought them
    receipt.notice.assign(item.id.begin(), item.id.end());
    if (item.kind == schemas::Kind::question) {  // but a question that was asked again
        const auto* asked = flatbuffers::GetRoot<schemas::Question>(item.payload.data());
        receipt.notice.assign(asked->question()->begin(), asked->question()->end());
    }
    receipt.level = level;
    receipt.by = "J. Worker";
    if (level == schemas::Level::recorded) receipt.outcome = "recorded";
    receipt.at_us = to_us(*done);
    wire::Draft draft{
        schemas::Kind::receipt, "receipts/" + agency.text(), to_hex(item.id), {}, {}, item.id, {}};
    draft.payload = wire::pack<schemas::Receipt>(receipt);
    return insert(draft, "receipt");
}

std::optional<std::string> ModelBox::fact(const std::string& name) const {
    const auto found = facts_.find(name);
    return found == facts_.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace flagpost::simulation
