/// What people here decide about reviews, ask a force and are answered, and who is kept from what.
#include <stdexcept>

#include "adapters/client/box_file.h"

namespace flagpost::client {
namespace {

// Names of facts that belong to one review or question, each followed by its id in hex.
const std::string verdict_fact = "verdict/";     // who was the first of two to decide
const std::string given_fact = "answer-given/";  // what was answered

/// One child in one incident, whichever version of the notice says so.
std::string thread_of(const schemas::SocialCareNotice& notice) {
    return notice.force()->str() + "/" + notice.incident_reference()->str() + "/" + notice.la()->str() + "/" +
           notice.la_child_id()->str();
}

/// Whose conflict list it stands under: a recall and an answer of police under that of the notice they are about.
std::vector<Id16> notices_of(const Incoming& item) {
    std::vector<Id16> notices;
    const auto add = [&](const flatbuffers::Vector<std::uint8_t>* ids) {
        if (ids == nullptr) return;
        for (BytesView rest{ids->data(), ids->size()}; rest.size() >= 16; rest = rest.subspan(16))
            notices.push_back(*exactly<16>(rest.first(16)));
    };
    if (item.kind == schemas::Kind::recall) {
        if (const auto recall = wire::read_table<schemas::Recall>(item.payload, "payload"))
            add((*recall)->recalls());
    } else if (item.kind == schemas::Kind::answer) {
        if (const auto answer = wire::read_table<schemas::QuestionAnswer>(item.payload, "payload"))
            add((*answer)->notice());
    } else if (const auto id = handles_of(item).thing) {
        notices.push_back(*id);
    }
    return notices;
}

}  // namespace

Box::Decided Box::decide(const Incoming& review, schemas::Verdict verdict, const std::string& by,
                         const std::string& reason, const AgencyId& agency, const std::string& note) {
    const auto item = wire::read_table<schemas::ReviewItem>(review.payload, "payload");
    const auto thing = handles_of(review).thing;
    if (review.kind != schemas::Kind::review_item || !item || !thing)
        throw std::logic_error{"only a review is decided"};
    const std::string hex = to_hex(*thing);
    const bool unsure = verdict == schemas::Verdict::unsure;

    Writing transaction(impl_->db, impl_->in_transaction);
    const auto now = find(hex);
    if (!now || now->recorded) return Decided::already;
    const auto first = fact(verdict_fact + hex);
    if (!unsure && (*item)->two_people() && first == by) return Decided::same_person;
    const bool settles = !unsure && (!(*item)->two_people() || first);
    const Instant at = impl_->now();
    if (settles) {
        record(impl_->db, hex, at, by, std::string{schemas::EnumNameVerdict(verdict)} + ": " + reason);
    } else {
        SQLite::Statement open(
            impl_->db,
            "UPDATE incoming SET opened_us = ifnull(opened_us, ?), opened_by = ifnull(opened_by, ?) "
            "WHERE thing = ? AND recorded_us IS NULL");
        open.bind(1, to_us(at));
        open.bind(2, by);
        open.bind(3, hex);
        open.exec();
    }
    if (!settles && !unsure) set_fact(verdict_fact + hex, by);

    schemas::ReviewDecisionValue decision;
    decision.review.assign(thing->begin(), thing->end());
    decision.verdict = verdict;
    decision.by = by;
    decision.reason = reason;
    decision.note = note;
    decision.at_us = to_us(at);
    wire::Draft draft{schemas::Kind::review_decision, "receipts/" + agency.text(), {}, {}, {}, review.id, {}};
    draft.subject = hex;
    draft.payload = wire::pack<schemas::ReviewDecision>(decision);
    impl_->insert(draft, review);
    transaction.commit();
    return settles ? Decided::settled : unsure ? Decided::asked : Decided::first_of_two;
}

bool Box::waits_for_second(const Incoming& review) const {
    const auto thing = handles_of(review).thing;
    return thing && !review.recorded && fact(verdict_fact + to_hex(*thing)).has_value();
}

bool Box::ask(const Incoming& notice, const Asking& asking, const AgencyId& agency,
              const std::optional<std::string>& once) {
    const auto told = wire::read_table<schemas::SocialCareNotice>(notice.payload, "payload");
    const auto thing = handles_of(notice).thing;
    if (notice.kind != schemas::Kind::social_care_notice || !told || !thing)
        throw std::logic_error{"questions are about notices"};
    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    if (once) {
        SQLite::Statement remember(impl_->db, "INSERT OR IGNORE INTO mark (name) VALUES (?)");
        remember.bind(1, *once);
        if (remember.exec() == 0) return false;
    }
    schemas::QuestionValue question;
    question.notice.assign(thing->begin(), thing->end());
    question.force = (*told)->force()->str();
    question.incident_reference = (*told)->incident_reference()->str();
    question.about = asking.about;
    question.text = asking.text;
    question.by = asking.by;
    question.asked_us = to_us(impl_->now());
    wire::Draft draft{schemas::Kind::question, "receipts/" + agency.text(), {}, {}, {}, notice.id, {}};
    draft.subject = question.incident_reference;
    draft.payload = wire::pack<schemas::Question>(question);
    const Id16 id = impl_->insert(draft, notice);
    SQLite::Statement keep(impl_->db, "INSERT INTO question (id, thread, payload) VALUES (?, ?, ?)");
    bind_blob(keep, 1, id);
    keep.bind(2, thread_of(**told));
    bind_blob(keep, 3, draft.payload);
    keep.exec();
    transaction.commit();
    return true;
}

std::vector<Box::Question> Box::questions_about(const Incoming& notice) const {
    std::vector<Question> questions;
    const auto told = wire::read_table<schemas::SocialCareNotice>(notice.payload, "payload");
    if (notice.kind != schemas::Kind::social_care_notice || !told) return questions;
    SQLite::Statement query(impl_->db, "SELECT id, payload FROM question WHERE thread = ? ORDER BY seq");
    query.bind(1, thread_of(**told));
    while (query.executeStep()) {
        const Bytes payload = blob(query.getColumn(1));
        const auto asked = wire::read_table<schemas::Question>(payload, "payload");
        if (!asked) throw std::runtime_error{"the box holds a question that cannot be read"};
        schemas::QuestionValue value;
        (*asked)->UnPackTo(&value);
        Question question{
            id_of(query.getColumn(0)), {value.about, value.text, value.by},
             from_us(value.asked_us), {        }
        };
        if (const auto answer = fact(answer_fact + to_hex(question.id))) question.answer = find(*answer);
        questions.push_back(std::move(question));
    }
    return questions;
}

bool Box::answer(const Incoming& question, const std::string& outcome, const std::string& text,
                 const std::string& by, const AgencyId& agency) {
    const auto thing = handles_of(question).thing;
    if (question.kind != schemas::Kind::question || !thing)
        throw std::logic_error{"only a question is answered"};
    const std::string hex = to_hex(*thing);
    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    const Instant at = impl_->now();
    if (!record(impl_->db, hex, at, by, outcome)) return false;
    set_fact(given_fact + hex, text);

    schemas::QuestionAnswerValue answer;
    answer.question.assign(thing->begin(), thing->end());
    answer.outcome = outcome;
    answer.text = text;
    answer.by = by;
    answer.answered_us = to_us(at);
    wire::Draft draft{schemas::Kind::answer, "receipts/" + agency.text(), {}, {}, {}, question.id, {}};
    draft.subject = hex;
    draft.payload = wire::pack<schemas::QuestionAnswer>(answer);
    impl_->insert(draft, question);
    transaction.commit();
    return true;
}

std::string Box::answer_given(const Incoming& question) const {
    const auto thing = handles_of(question).thing;
    return thing ? fact(given_fact + to_hex(*thing)).value_or("") : std::string{};
}

std::vector<std::string> Box::kept_from(const Incoming& item) const {
    std::vector<std::string> names;
    for (const auto& notice : notices_of(item))
        for (const auto& [name, value] : facts_under(kept_from_fact + to_hex(notice) + "/"))
            names.push_back(name);
    return names;
}

std::map<std::string, std::vector<std::string>> Box::kept_from() const {
    constexpr std::size_t id_size = 2 * std::tuple_size_v<Id16>;
    std::map<std::string, std::vector<std::string>> all;
    for (const auto& [key, value] : facts_under(kept_from_fact))
        all[key.substr(0, id_size)].push_back(key.substr(id_size + 1));
    return all;
}

}  // namespace flagpost::client
