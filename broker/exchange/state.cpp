#include "broker/exchange/state.h"

#include <algorithm>
#include <stdexcept>

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/body.h"
#include "broker/exchange/units.h"
#include "broker/wire/frames.h"

namespace flagpost::exchange {
namespace {

using log::LeafKind;

[[noreturn]] void damaged(const char* what) {
    throw std::runtime_error{std::string{"a stored body is damaged: "} + what};
}

template <class T> const T& required(const T* part, const char* what) {
    if (part == nullptr) damaged(what);
    return *part;
}

wire::EnvelopeView envelope_of(const schemas::RecordBody& body) {
    const auto envelope = wire::read_envelope(bytes_of(body.envelope()));
    if (!envelope) damaged("its envelope");
    return *envelope;
}

template <class T> const T& payload_of(const wire::EnvelopeView& envelope) {
    const auto table = wire::read_table<T>(envelope.payload, "payload");
    if (!table) damaged("its payload");
    return **table;
}

std::string text_of(const flatbuffers::String* text) { return text == nullptr ? std::string{} : text->str(); }

std::vector<NumberRange> ranges_of(const flatbuffers::Vector<const NumberRange*>* vector) {
    std::vector<NumberRange> ranges;
    if (vector == nullptr) return ranges;
    for (const auto* range : *vector) ranges.push_back(*range);
    return ranges;
}

std::vector<std::string> texts_of(
    const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* vector) {
    std::vector<std::string> texts;
    if (vector != nullptr)
        for (const auto* each : *vector) texts.push_back(each->str());
    return texts;
}

Rung rung_of(const schemas::RungFacts& facts) {
    return {from_us(facts.at_us()),          facts.unless(),
            text_of(facts.recipient()),      text_of(facts.topic()),
            text_of(facts.rule()),           text_of(facts.purpose()),
            text_of(facts.retention()),      texts_of(facts.legal_basis()),
            copy(bytes_of(facts.payload())), facts.before_deadline()};
}

std::vector<Rung> rungs_of(const flatbuffers::Vector<flatbuffers::Offset<schemas::RungFacts>>* vector) {
    std::vector<Rung> rungs;
    if (vector != nullptr)
        for (const auto* rung : *vector) rungs.push_back(rung_of(*rung));
    return rungs;
}

std::shared_ptr<const HeldBack> held_of(const schemas::HeldNotice* facts) {
    if (facts == nullptr) return nullptr;
    return std::make_shared<const HeldBack>(
        HeldBack{facts->recipient()->str(), facts->topic()->str(), facts->kind(), text_of(facts->rule()),
                 text_of(facts->purpose()), text_of(facts->retention()), texts_of(facts->legal_basis()),
                 texts_of(facts->subjects()), facts->thread()->str(), copy(bytes_of(facts->fingerprint())),
                 from_us(facts->planned_us()), from_us(facts->due_us()), facts->urn(),
                 rungs_of(facts->rungs()), copy(bytes_of(facts->payload()))});
}

void forget(std::map<Due, const IncidentName*>& timers, std::optional<Due>& due) {
    if (due) timers.erase(*due);
    due.reset();
}

// Hashes a long description piece by piece: each digest covers the one before.
class Description {
public:
    Description& operator<<(std::string_view text) {
        *this << text.size();
        pending_.insert(pending_.end(), text.begin(), text.end());
        return flush_when_long();
    }
    Description& operator<<(BytesView bytes) { return *this << text(bytes); }
    Description& operator<<(std::uint64_t number) {
        append_be(pending_, number, 8);
        return flush_when_long();
    }
    Description& operator<<(Instant at) { return *this << static_cast<std::uint64_t>(to_us(at)); }
    Description& operator<<(const Due& due) { return *this << due.at << due.index; }
    template <class T> Description& operator<<(const std::optional<T>& value) {
        *this << std::uint64_t{value.has_value()};
        if (value) *this << *value;
        return *this;
    }

    Digest digest() {
        flush();
        return so_far_;
    }

private:
    Description& flush_when_long() {
        if (pending_.size() > 64 * 1024) flush();
        return *this;
    }
    void flush() {
        so_far_ = crypto::sha256({so_far_, pending_});
        pending_.clear();
    }
    Digest so_far_{};
    Bytes pending_;
};

}  // namespace

void State::apply(std::uint64_t index, LeafKind kind, BytesView bytes) {
    if (bytes.empty()) return;
    const auto& body = read_body(bytes);
    switch (kind) {
        case LeafKind::agreement_set:
        case LeafKind::parties_set:
        case LeafKind::keys_set:
        case LeafKind::crl_set:
            apply_setting(kind, required(body.setting(), "setting"));
            break;
        case LeafKind::published:
            apply_published(index, body);
            break;
        case LeafKind::load_applied:
            apply_load_applied(body);
            break;
        case LeafKind::record_set:
        case LeafKind::record_removed:
            apply_unit(kind, body);
            break;
        case LeafKind::decided:
        case LeafKind::reviewed:
            apply_decision(index, body);
            break;
        case LeafKind::notice_issued:
            apply_notice(index, body);
            break;
        case LeafKind::escalated:
            apply_escalated(body);
            break;
        case LeafKind::overdue:
            apply_overdue(body);
            break;
        case LeafKind::dead_lettered:
            apply_dead_letter(index, body);
            break;
        case LeafKind::reinserted:
        case LeafKind::discarded:
            apply_revival(kind, body);
            break;
        case LeafKind::clock_step:
            clock_held = required(body.setting(), "setting").number() != 0;
            break;
        case LeafKind::held:
        case LeafKind::lifted:
            apply_hold(kind, body);
            break;
        case LeafKind::opened:
        case LeafKind::recorded:
            apply_receipt(required(body.receipt(), "receipt"));
            break;
        case LeafKind::erased:
            if (body.windows() != nullptr)
                for (const auto* window : *body.windows())
                    close_window({from_us(window->ends_us()), window->index()});
            if (body.threads() != nullptr)
                for (const auto* thread : *body.threads())
                    end_threads({from_us(thread->ends_us()), thread->index()});
            break;
        default:
            break;
    }
    if (const auto* item = body.item()) mailboxes[item->topic()->str()].add(item->number(), index);
    if (const auto* mailbox = body.mailbox()) apply_mailbox(*mailbox);
}

void State::apply_setting(LeafKind kind, const schemas::SettingFacts& facts) {
    const auto digest_set = exactly<32>(bytes_of(facts.digest()));
    if (!digest_set) damaged("a digest");
    auto& in_force = kind == LeafKind::agreement_set ? agreement
                     : kind == LeafKind::parties_set ? parties
                     : kind == LeafKind::keys_set    ? keys
                                                     : crl;
    in_force = *digest_set;
    if (kind != LeafKind::agreement_set) return;
    sources.clear();
    if (facts.sources() == nullptr) return;
    for (const auto* each : *facts.sources())
        sources.emplace(each->agency()->str(), from_us(each->since_us()));
}

void State::apply_published(std::uint64_t index, const schemas::RecordBody& body) {
    if (body.incident() != nullptr) apply_incident(index, body);
    if (body.load() != nullptr) apply_load_message(index, body);
}

void State::apply_incident(std::uint64_t index, const schemas::RecordBody& body) {
    const auto& facts = *body.incident();
    const auto [place, is_new] =
        incidents.try_emplace(IncidentName{facts.force()->str(), facts.reference()->str()});
    auto& incident = place->second;
    incident.received.push_back(index);
    if (facts.version() > incident.version) {
        incident.version = facts.version();
        incident.newest = index;
        incident.previous = std::move(incident.payload);
        incident.payload = copy(envelope_of(body).payload);
    }
    forget(windows, incident.window);
    incident.window = Due{from_us(body.at_us()) + limits::late_flag_window, index};
    windows.emplace_hint(windows.end(), *incident.window, &place->first);
}

void State::apply_load_message(std::uint64_t index, const schemas::RecordBody& body) {
    const auto envelope = envelope_of(body);
    const LoadName name{text_of(body.agency()), body.load()->topic()->str()};
    if (envelope.kind == schemas::Kind::load_begin) {
        const auto& begin = payload_of<schemas::LoadBegin>(envelope);
        const auto digest_declared = exactly<32>(bytes_of(begin.digest()));
        if (!digest_declared) damaged("a digest");
        OpenLoad load;
        load.id = id_of(begin.load());
        load.of = begin.of();
        load.mode = begin.mode();
        load.sequence = begin.sequence();
        load.count = begin.count();
        load.digest = *digest_declared;
        load.scope = text_of(begin.scope());
        load.begun = from_us(body.at_us());
        load.records.push_back(index);
        loads.insert_or_assign(name, std::move(load));
    } else if (envelope.kind == schemas::Kind::load_part) {
        const auto found = loads.find(name);
        if (found == loads.end()) damaged("a part without its load");
        auto& load = found->second;
        load.records.push_back(index);
        load.parts.push_back(copy(envelope.payload));
        load.bytes += envelope.payload.size();
        load.items += payload_of<schemas::LoadPart>(envelope).records()->size();
    }
}

void State::apply_load_applied(const schemas::RecordBody& body) {
    const auto& facts = required(body.load(), "load");
    const LoadName name{text_of(body.agency()), facts.topic()->str()};
    if (const auto open = loads.find(name); open != loads.end() && open->second.id == id_of(facts.load()))
        loads.erase(open);
    if (!facts.applied()) return;
    sequences[name] = facts.sequence();
    const auto target = load_target(name.topic);
    // A list of which nothing could be read says nothing of how fresh the register is.
    if (!target || (facts.accepted() == 0 && !facts.none())) return;
    if (target->of == schemas::LoadOf::flags) known.set_feed(target->la, from_us(body.at_us()));
    if (target->of != schemas::LoadOf::rolls) return;
    known.set_roll(target->scope, from_us(body.at_us()));
    if (facts.none())
        empty_rolls.insert(target->scope);
    else
        empty_rolls.erase(target->scope);
}

void State::apply_unit(LeafKind kind, const schemas::RecordBody& body) {
    const auto& facts = required(body.unit(), "unit");
    const std::string key = facts.key()->str();
    if (kind == LeafKind::record_removed) {
        units.erase(key);
        remove_unit(known, facts.of(), key);
        return;
    }
    const auto item = bytes_of(facts.item());
    const auto item_digest = crypto::sha256(item);
    HeldUnit unit;
    std::copy_n(item_digest.begin(), unit.digest.size(), unit.digest.begin());
    unit.topic = &*unit_topics.insert(facts.topic()->str()).first;
    units.insert_or_assign(key, unit);
    set_unit(known, facts.of(), item, from_us(body.at_us()), text_of(facts.source()));
}

void State::apply_decision(std::uint64_t index, const schemas::RecordBody& body) {
    const auto& facts = required(body.decision(), "decision");
    const auto [place, is_new] =
        incidents.try_emplace(IncidentName{facts.force()->str(), facts.reference()->str()});
    auto& incident = place->second;
    incident.version = std::max(incident.version, facts.version());
    incident.decisions.push_back(index);
    // Whom a hold may be about, until the window's end destroys what nobody was told of. After it there is no need.
    if (incident.window)
        for (const auto* hits : {facts.flags(), facts.pupils()})
            if (hits != nullptr)
                for (const auto* hit : *hits) incident.about.insert(hit->subject()->str());
    forget_threads(incident);
    if (facts.told() == nullptr || facts.told()->size() == 0) return;
    for (const auto* row : *facts.told()) {
        Thread thread{row->topic()->str(),
                      copy(bytes_of(row->fingerprint())),
                      {},
                      row->permitted(),
                      row->not_on_roll(),
                      copy(bytes_of(row->doubts())),
                      copy(bytes_of(row->permitted_doubts())),
                      copy(bytes_of(row->told_before()))};
        for (auto rest = bytes_of(row->notices()); !rest.empty(); rest = rest.subspan(16)) {
            if (rest.size() < 16) damaged("an id");
            thread.notices.push_back(*exactly<16>(rest.first(16)));
            told.insert_or_assign(thread.notices.back(), thread.topic);
        }
        incident.threads.insert_or_assign(row->thread()->str(), std::move(thread));
    }
    incident.thread_end = Due{from_us(body.at_us()) + limits::thread_kept, index};
    thread_ends.emplace(*incident.thread_end, &place->first);
}

void State::apply_notice(std::uint64_t index, const schemas::RecordBody& body) {
    const auto& facts = required(body.obligation(), "obligation");
    const auto& item = required(body.item(), "item");
    Obligation obligation;
    obligation.recipient = facts.recipient()->str();
    obligation.topic = item.topic()->str();
    obligation.number = item.number();
    obligation.index = index;
    obligation.since = from_us(body.at_us());
    obligation.due = from_us(facts.due_us());
    obligation.closes_on = facts.closes_on();
    obligation.kind = facts.kind();
    obligation.reference = text_of(facts.reference());
    obligation.sender = text_of(facts.sender());
    obligation.about = text_of(facts.about());
    obligation.subjects = texts_of(facts.subjects());
    obligation.rungs = rungs_of(facts.rungs());
    obligation.thread = text_of(facts.thread());
    obligation.two_people = facts.two_people();
    obligation.held = held_of(facts.held());
    if (const auto* asked = facts.asked())
        obligation.asked = AskedAbout{id_of(asked->message()), id_of(asked->notice()), asked->topic()->str()};
    const Id16 notice = id_of(facts.notice());
    const auto place = obligations.insert_or_assign(notice, std::move(obligation)).first;
    items.insert_or_assign({place->second.topic, place->second.number}, notice);
    schedule(notice, place->second);
}

bool Obligation::reached(schemas::Level level) const {
    switch (level) {
        case schemas::Level::stored:
            return stored || opened;
        case schemas::Level::opened:
            return opened;
        default:
            return false;  // answered: then it is not open any more
    }
}

std::size_t Obligation::next_rung() const {
    auto next = fired;
    while (next < rungs.size() && reached(rungs[next].unless)) ++next;
    return next;
}

const char* Obligation::stage() const {
    return opened ? "opened" : stored ? "stored" : dead ? "dead_letter" : "sent";
}

// Looked at again when the next rung's time or its own is over, whichever comes first; then never more.
void State::schedule(const Id16& notice, Obligation& obligation) {
    if (obligation.scheduled) clocks.erase({*obligation.scheduled, notice});
    obligation.scheduled.reset();
    const auto look = [&](Instant at) {
        if (!obligation.scheduled || at < *obligation.scheduled) obligation.scheduled = at;
    };
    if (!obligation.overdue) look(obligation.due);
    if (const auto next = obligation.next_rung(); next < obligation.rungs.size())
        look(obligation.hurried.value_or(obligation.rungs[next].at));
    if (obligation.scheduled) clocks.emplace(*obligation.scheduled, notice);
}

bool State::holds(const ItemName& item) const {
    const auto mailbox = mailboxes.find(item.first);
    return mailbox != mailboxes.end() && mailbox->second.holds(item.second);
}

// What is still owed keeps its place on the ladder; a delivery that still waits keeps its record, and with it who may
// answer.
void State::forget_escalations(const Id16& notice) {
    const auto found = escalated.find(notice);
    if (found == escalated.end() || obligations.contains(notice)) return;
    std::erase_if(found->second, [&](const auto& rung) { return !holds(rung.second); });
    if (found->second.empty()) escalated.erase(found);
}

void State::close(std::map<Id16, Obligation>::iterator obligation) {
    if (obligation->second.scheduled) clocks.erase({*obligation->second.scheduled, obligation->first});
    items.erase({obligation->second.topic, obligation->second.number});
    const Id16 notice = obligation->first;
    obligations.erase(obligation);
    if (!told.contains(notice)) forget_escalations(notice);  // its threads ended while it was still owed
}

void State::apply_escalated(const schemas::RecordBody& body) {
    const auto& facts = required(body.escalation(), "escalation");
    const Id16 notice = id_of(facts.notice());
    escalated[notice][facts.rung()] =
        body.item() == nullptr ? ItemName{} : ItemName{body.item()->topic()->str(), body.item()->number()};
    const auto found = obligations.find(notice);
    if (found == obligations.end()) return;
    found->second.fired = facts.rung() + 1;
    found->second.hurried.reset();
    schedule(notice, found->second);
}

void State::apply_overdue(const schemas::RecordBody& body) {
    const Id16 notice = id_of(required(body.escalation(), "escalation").notice());
    const auto found = obligations.find(notice);
    if (found == obligations.end()) return;
    found->second.overdue = true;
    schedule(notice, found->second);
}

void State::apply_dead_letter(std::uint64_t index, const schemas::RecordBody& body) {
    const auto& facts = required(body.dead_letter(), "dead letter");
    const ItemName item{facts.topic()->str(), facts.number()};
    DeadItem dead;
    dead.index = index;
    dead.attempts = facts.attempts();
    dead.owner = text_of(facts.owner());
    dead.since = from_us(body.at_us());
    dead.envelope = copy(bytes_of(body.envelope()));
    if (facts.notice() != nullptr) {
        dead.notice = id_of(facts.notice());
        // First its name: what leaves the mailbox in this way was not stored.
        items.erase(item);
        if (const auto found = obligations.find(*dead.notice); found != obligations.end()) {
            found->second.dead = true;
            found->second.stored = false;
            found->second.hurried = dead.since;
            schedule(*dead.notice, found->second);
        }
    }
    dead_letters.insert_or_assign(item, std::move(dead));
}

void State::apply_revival(LeafKind kind, const schemas::RecordBody& body) {
    const auto& facts = required(body.dead_letter(), "dead letter");
    dead_letters.erase({facts.topic()->str(), facts.number()});
    if (facts.notice() == nullptr) return;
    const Id16 notice = id_of(facts.notice());
    const auto found = obligations.find(notice);
    if (found == obligations.end()) return;
    auto& obligation = found->second;
    items.erase({obligation.topic, obligation.number});
    obligation.revived = true;
    obligation.dead = kind == LeafKind::discarded;
    obligation.stored = false;
    obligation.hurried.reset();
    obligation.number = facts.number();
    if (kind == LeafKind::reinserted) {
        obligation.number = required(body.item(), "item").number();
        items.insert_or_assign({obligation.topic, obligation.number}, notice);
    }
    schedule(notice, obligation);
}

void State::apply_hold(LeafKind kind, const schemas::RecordBody& body) {
    const auto& facts = required(body.hold(), "hold");
    const HoldName name{text_of(facts.controller()), facts.subject()->str(), facts.reference()->str()};
    const auto person = text_of(facts.person());
    if (kind == LeafKind::lifted) {
        legal_holds.erase(name);
        conflicts.erase(name);
    } else if (!person.empty())
        conflicts.insert_or_assign(name, Conflict{text_of(facts.holder()), person, text_of(facts.works_for()),
                                                  from_us(body.at_us())});
    else
        legal_holds.insert_or_assign(name, LegalHold{text_of(facts.holder()), from_us(body.at_us())});
}

void State::note_stored(const std::string& topic, std::uint64_t number) {
    const auto item = items.find({topic, number});
    if (item == items.end()) return;
    const Id16 notice = item->second;
    items.erase(item);
    auto& obligation = obligations.at(notice);
    obligation.stored = true;
    schedule(notice, obligation);
}

void State::apply_receipt(const schemas::ReceiptFacts& facts) {
    if (const auto* waiting = facts.waiting())
        answered_elsewhere[id_of(facts.notice())] = {waiting->topic()->str(), waiting->number()};
    const auto found = obligations.find(id_of(facts.notice()));
    if (found == obligations.end()) return;
    if (facts.closes()) return close(found);
    if (facts.verdict() != schemas::Verdict::unsure)
        found->second.first_verdict = FirstVerdict{facts.verdict(), text_of(facts.by())};
    found->second.opened = true;
    schedule(found->first, found->second);
}

void State::apply_mailbox(const schemas::MailboxState& facts) {
    auto& mailbox = mailboxes[facts.topic()->str()];
    if (facts.acknowledged() != nullptr)
        for (const auto* range : *facts.acknowledged())
            for (auto number = range->first(); number <= range->last(); ++number) {
                mailbox.acknowledge(number);
                note_stored(facts.topic()->str(), number);
            }
    for (const auto number : mailbox.settle(facts.high_water(), ranges_of(facts.pending())))
        note_stored(facts.topic()->str(), number);
}

void State::forget_threads(RetainedIncident& incident) {
    for (const auto& [child, thread] : incident.threads)
        for (const auto& notice : thread.notices) told.erase(notice);
    incident.threads.clear();
    forget(thread_ends, incident.thread_end);
}

void State::close_window(const Due& due) {
    const auto timer = windows.find(due);
    if (timer == windows.end()) return;
    const auto place = incidents.find(*timer->second);
    auto& incident = place->second;
    forget(windows, incident.window);
    incident.received.clear();
    incident.payload = {};
    incident.previous = {};
    incident.newest = 0;
    incident.about.clear();
    if (incident.threads.empty()) {
        incidents.erase(place);
        return;
    }
    // The newest decision carries the threads on; the ones before it have nothing to add.
    incident.decisions.erase(incident.decisions.begin(), std::prev(incident.decisions.end()));
}

void State::end_threads(const Due& due) {
    const auto timer = thread_ends.find(due);
    if (timer == thread_ends.end()) return;
    const auto place = incidents.find(*timer->second);
    for (const auto& [child, thread] : place->second.threads)
        for (const auto& notice : thread.notices) {
            forget_escalations(notice);
            std::erase_if(answered_elsewhere,
                          [&](const auto& each) { return each.first == notice && !holds(each.second); });
        }
    forget_threads(place->second);
    place->second.decisions.clear();
    if (!place->second.window) incidents.erase(place);
}

Digest State::digest() const {
    Description all;
    for (const auto& [topic, mailbox] : mailboxes) {
        all << "mailbox" << topic << mailbox.high_water();
        for (const auto& [number, index] : mailbox.pending()) all << number << index;
        for (const auto& range : mailbox.ranges()) all << range.first() << range.last();
    }
    for (const auto& [notice, owed] : obligations)
        all << "obligation" << notice << owed.recipient << owed.topic << owed.number << owed.since << owed.due
            << static_cast<std::uint64_t>(owed.closes_on) << std::uint64_t{owed.opened}
            << std::uint64_t{owed.stored} << std::uint64_t{owed.dead} << std::uint64_t{owed.revived}
            << std::uint64_t{owed.overdue} << std::uint64_t{owed.fired} << owed.index << owed.hurried
            << owed.scheduled << owed.rungs.size() << owed.thread << std::uint64_t{owed.two_people}
            << (owed.held ? BytesView{owed.held->payload} : BytesView{})
            << (owed.first_verdict ? owed.first_verdict->by : std::string{})
            << (owed.asked ? owed.asked->topic + to_hex(owed.asked->message) : std::string{});
    for (const auto& [item, notice] : items) all << "item" << item.first << item.second << notice;
    for (const auto& [notice, topics] : escalated)
        for (const auto& [rung, item] : topics)
            all << "escalated" << notice << std::uint64_t{rung} << item.first << item.second;
    for (const auto& [notice, item] : answered_elsewhere)
        all << "elsewhere" << notice << item.first << item.second;
    for (const auto& [at, notice] : clocks) all << "clock" << at << notice;
    for (const auto& [item, dead] : dead_letters)
        all << "dead" << item.first << item.second << dead.index << dead.envelope;
    all << "held" << std::uint64_t{clock_held};
    for (const auto& [notice, topic] : told) all << "told" << notice << topic;
    for (const auto& [name, load] : loads) {
        all << "load" << name.agency << name.topic << load.id << static_cast<std::uint64_t>(load.of)
            << static_cast<std::uint64_t>(load.mode) << load.sequence << std::uint64_t{load.count}
            << load.digest << load.scope << load.begun << load.bytes << load.items;
        for (const auto index : load.records) all << index;
        for (const auto& part : load.parts) all << part;
    }
    for (const auto& [name, sequence] : sequences) all << "sequence" << name.agency << name.topic << sequence;
    for (const auto& [key, unit] : units) all << "unit" << key << unit.digest << *unit.topic;
    for (const auto& [key, flag] : known.flags()) all << "flag" << text(key) << flag.received;
    for (const auto& [la, at] : known.feeds()) all << "feed" << la << at;
    for (const auto& [key, pupil] : known.pupils())
        all << "pupil" << text(key) << pupil.received << pupil.source;
    for (const auto& [scope, roll] : known.rolls()) all << "roll" << scope << roll.confirmed << roll.pupils;
    for (const auto& scope : empty_rolls) all << "empty" << scope;
    all << "others" << known.schools().size() << known.links().size() << known.contacts().size()
        << known.bank_holidays().size() << known.terms().size();
    for (const auto& [name, incident] : incidents) {
        all << "incident" << name.force << name.reference << std::uint64_t{incident.version}
            << incident.newest << incident.payload << incident.previous << incident.window
            << incident.thread_end << incident.received.size();
        for (const auto index : incident.received) all << index;
        for (const auto index : incident.decisions) all << index;
        for (const auto& subject : incident.about) all << subject;
        for (const auto& [child, thread] : incident.threads) {
            all << child << thread.topic << thread.fingerprint << std::uint64_t{thread.permitted}
                << std::uint64_t{thread.not_on_roll} << thread.doubts << thread.permitted_doubts
                << thread.told_before;
            for (const auto& notice : thread.notices) all << notice;
        }
    }
    for (const auto& [name, hold] : legal_holds)
        all << "hold" << name.controller << name.subject << name.reference << hold.holder << hold.since;
    for (const auto& [name, conflict] : conflicts)
        all << "conflict" << name.controller << name.subject << name.reference << conflict.holder
            << conflict.person << conflict.works_for << conflict.since;
    for (const auto& [due, name] : windows) all << "window" << due << name->reference;
    for (const auto& [due, name] : thread_ends) all << "thread" << due << name->reference;
    all << agreement << parties << keys << crl;
    for (const auto& [agency, since] : sources) all << "source" << agency << since;
    return all.digest();
}

namespace {

log::StateKey open_key(std::string name) { return {std::move(name), false}; }

}  // namespace

log::StateKey delivery_key(std::string_view topic, std::uint64_t number) {
    return open_key("delivery/" + std::string{topic} + "/" + std::to_string(number));
}
log::StateKey mailbox_key(std::string_view topic) { return open_key("mailbox/" + std::string{topic}); }
log::StateKey notice_key(const Id16& notice) { return open_key("notice/" + to_hex(notice)); }
log::StateKey opened_key(const Id16& notice) { return open_key("opened/" + to_hex(notice)); }
log::StateKey verdict_key(const Id16& notice) { return open_key("verdict/" + to_hex(notice)); }
log::StateKey escalated_key(const Id16& notice, std::uint32_t rung) {
    return open_key("escalated/" + to_hex(notice) + "/" + std::to_string(rung));
}
log::StateKey overdue_key(const Id16& notice) { return open_key("overdue/" + to_hex(notice)); }
log::StateKey closed_key(const Id16& notice) { return open_key("closed/" + to_hex(notice)); }
log::StateKey revived_key(const Id16& notice) { return open_key("revived/" + to_hex(notice)); }
log::StateKey dead_letter_key(const ItemName& item) {
    return open_key("dead-letter/" + item.first + "/" + std::to_string(item.second));
}
log::StateKey load_key(std::uint64_t index) { return open_key("load/" + std::to_string(index)); }
log::StateKey sequence_key(const LoadName& name) {
    return open_key("sequence/" + name.agency + "/" + name.topic);
}
log::StateKey feed_key(std::string_view la) { return open_key("feed/" + std::string{la}); }
log::StateKey roll_key(std::string_view scope) { return open_key("roll/" + std::string{scope}); }
log::StateKey incident_key(std::uint64_t index) { return open_key("incident/" + std::to_string(index)); }
log::StateKey decision_key(std::uint64_t index) { return open_key("decision/" + std::to_string(index)); }
log::StateKey hold_key(const HoldName& name) {
    // Parted by what neither a subject nor a reference may hold.
    return {"hold/" + name.controller + "\x1f" + name.subject + "\x1f" + name.reference, true};
}
log::StateKey unit_key(std::string_view key) { return {std::string{key}, true}; }

}  // namespace flagpost::exchange
