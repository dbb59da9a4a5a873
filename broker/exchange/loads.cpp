#include <algorithm>
#include <map>
#include <set>

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;
using schemas::FileCode;
using schemas::LoadMode;
using schemas::LoadOf;

/// How a load ended, for its sender.
struct Decider::LoadReport {
    FileCode code{};
    std::uint32_t accepted = 0;
    std::uint32_t rejected = 0;
    std::vector<std::pair<std::uint32_t, std::string>>
        rejections;  // number from 1 (0: the load itself), fault
};

namespace {

const char* name_of(FileCode code) { return schemas::EnumNameFileCode(code); }

// The items of a load's parts, in order. Parts were verified when they came.
std::vector<BytesView> items_of(const OpenLoad& load) {
    std::vector<BytesView> items;
    items.reserve(load.items);
    for (const auto& part : load.parts)
        for (const auto* record : *flatbuffers::GetRoot<schemas::LoadPart>(part.data())->records())
            items.push_back(bytes_of(record->bytes()));
    return items;
}

Digest digest_of(const std::vector<BytesView>& items) {
    Bytes all;
    for (const auto item : items) all.insert(all.end(), item.begin(), item.end());
    return crypto::sha256(all);
}

Id16 short_digest(BytesView item) {
    const auto whole = crypto::sha256(item);
    Id16 first;
    std::copy_n(whole.begin(), first.size(), first.begin());
    return first;
}

// Whose record a unit is, and for how long it is kept.
std::string controller_of(LoadOf of, std::string_view key, const std::string& loader) {
    if (of == LoadOf::flags) return "social-care/" + std::string{key.substr(5, key.find('/', 5) - 5)};
    if (of == LoadOf::rolls && key.starts_with("pupil/0/"))
        return "education/" + std::string{key.substr(8, key.find('/', 8) - 8)};
    if (of == LoadOf::rolls) return "school/" + std::string{key.substr(6, key.find('/', 6) - 6)};
    return loader;
}
const char* retention_of(LoadOf of) {
    if (of == LoadOf::flags) return "flag";
    return of == LoadOf::rolls ? "roll" : "reference";
}
bool is_personal(LoadOf of) { return of == LoadOf::flags || of == LoadOf::rolls; }

}  // namespace

Reply Decider::take_load_begin(const Message& message, const LoadTarget& target) {
    const auto table = payload<schemas::LoadBegin>(message);
    if (!table) return table.error();
    const auto& begin = **table;
    if (auto sound = check(begin); !sound) return sound.error();
    if (begin.of() != target.of) return Refusal{Reason::invalid_value, "load_begin.of: not on this topic"};
    const std::string_view scope = begin.scope() == nullptr ? "" : begin.scope()->string_view();
    if (scope != target.scope) return Refusal{Reason::invalid_value, "load_begin.scope: not on this topic"};
    // Of flags, of one school, or of one register. All of an authority's schools have pupils, and no reference list is empty.
    if (begin.none() && (!is_personal(target.of) || scope.starts_with("la:")))
        return Refusal{Reason::invalid_value, "load_begin.none: not of this list"};

    const LoadName name{message.command.actor.id.agency().text(), message.topic()};
    // One load at a time: whoever begins again has lost the one before.
    if (const auto open = state.loads.find(name); open != state.loads.end()) {
        end_load(name, open->second, {FileCode::abandoned, 0, 0, {}},
                 record_by_broker(LeafKind::load_applied, Operation::none));
    }

    schemas::RecordBodyValue body;
    body.load = std::make_unique<schemas::LoadFactsValue>();
    body.load->topic = name.topic;
    body.load->load.assign(begin.load()->begin(), begin.load()->end());
    body.load->sequence = begin.sequence();
    auto record = published(message);
    record.body = received_other(message.received(), std::move(body));
    record.retention = "load";
    record.sets.push_back(load_key(next_index));
    const auto index = emit(std::move(record));

    const auto last = state.sequences.find(name);
    if (last != state.sequences.end() && begin.sequence() != last->second + 1) {
        end_load(name, state.loads.at(name),
                 {FileCode::sequence_gap,
                  0,
                  0,
                  {{0, "load_begin.sequence: " + std::to_string(last->second + 1) + " is due"}}},
                 record_by_broker(LeafKind::load_applied, Operation::none));
    }
    return Confirmed{index, false};
}

Reply Decider::take_load_part(const Message& message) {
    const auto table = payload<schemas::LoadPart>(message);
    if (!table) return table.error();
    const auto& part = **table;
    if (auto sound = check(part); !sound) return sound.error();
    const LoadName name{message.command.actor.id.agency().text(), message.topic()};
    const auto open = state.loads.find(name);
    if (open == state.loads.end() || open->second.id != id_of(part.load()))
        return Refusal{Reason::not_found, "load_part.load: not open"};
    const auto& load = open->second;
    if (part.part() != load.parts.size()) return Refusal{Reason::out_of_order, "load_part.part"};
    if (load.items + part.records()->size() > limits::load_records_max ||
        load.bytes + message.envelope.payload.size() > limits::load_bytes_max)
        return Refusal{Reason::too_large, "load_part: the load"};
    std::size_t staged = message.envelope.payload.size();
    for (const auto& [other, each] : state.loads) staged += each.bytes;
    if (staged > limits::loads_bytes_max) return Refusal{Reason::busy, "load_part: all open loads"};

    schemas::RecordBodyValue body;
    body.load = std::make_unique<schemas::LoadFactsValue>();
    body.load->topic = name.topic;
    body.load->load.assign(part.load()->begin(), part.load()->end());
    body.load->sequence = load.sequence;
    auto record = published(message);
    record.body = received_other(message.received(), std::move(body));
    record.retention = "load";
    record.sets.push_back(load_key(next_index));
    return Confirmed{emit(std::move(record)), false};
}

Reply Decider::take_load_commit(const Message& message, const LoadTarget& target) {
    const auto table = payload<schemas::LoadCommit>(message);
    if (!table) return table.error();
    const auto& commit = **table;
    if (auto sound = check(commit); !sound) return sound.error();
    const LoadName name{message.command.actor.id.agency().text(), message.topic()};
    const auto open = state.loads.find(name);
    if (open == state.loads.end() || open->second.id != id_of(commit.load()))
        return Refusal{Reason::not_found, "load_commit.load: not open"};

    const auto& load = open->second;  // stands until the last of the records below
    auto record = published(message);
    record.body = received_other(message.received(), {});
    record.retention = "load";
    const auto index = emit(std::move(record));

    LoadReport report;
    if (commit.parts() != load.parts.size() || load.items != load.count)
        report.code = FileCode::wrong_count;
    else if (digest_of(items_of(load)) != load.digest)
        report.code = FileCode::malformed;
    else
        apply_load(message, target, load, report, index);

    auto ending = record_by(message.command.actor, LeafKind::load_applied, Operation::none);
    ending.leaf.message = message.envelope.id;
    ending.leaf.related = index;
    end_load(name, load, report, ending);
    return Confirmed{index, false};
}

// Every record for itself: one that is wrong is reported, and the others stand. A full load also says what is no more;
// but a record that came and was wrong is not gone, and where one could not even be told apart, or none was right,
// nothing is gone: a misprint in a list must not take a child off it. A list that was said to be none takes all off it.
void Decider::apply_load(const Message& message, const LoadTarget& target, const OpenLoad& load,
                         LoadReport& report, std::uint64_t commit) {
    const auto topic = message.topic();
    const auto& loader = message.command.actor.id.agency().text();
    std::set<std::string> named;
    bool all_named = true;
    std::uint32_t number = 0;
    std::vector<std::string> changed;

    const auto unit_record = [&](LeafKind kind, Operation operation, const std::string& key) {
        auto record = record_by(message.command.actor, kind, operation);
        record.leaf.topic = topic;
        record.leaf.related = commit;
        record.leaf.agreement = setting_.agreement.digest();
        if (is_personal(target.of)) record.subjects.push_back(key);
        record.controller = controller_of(target.of, key, loader);
        record.retention = retention_of(target.of);
        changed.push_back(key);
        return record;
    };
    const auto unit_body = [&](const std::string& key, BytesView item) {
        schemas::RecordBodyValue body;
        body.at_us = to_us(now_);
        body.agency = loader;
        body.unit = std::make_unique<schemas::UnitFactsValue>();
        body.unit->topic = topic;
        body.unit->of = target.of;
        body.unit->key = key;
        body.unit->source = load.scope;
        body.unit->item.assign(item.begin(), item.end());
        return pack_body(body);
    };

    for (const auto item : items_of(load)) {
        ++number;
        auto unit = read_unit(target, item);
        if (!unit.key) all_named = false;
        if (unit.key && !named.insert(*unit.key).second && !unit.refusal)
            unit.refusal = Refusal{Reason::conflict, "duplicate"};
        if (unit.refusal) {
            ++report.rejected;
            if (report.rejections.size() < limits::load_results_max)
                report.rejections.emplace_back(number, unit.refusal->where);
            continue;
        }
        ++report.accepted;
        const auto held = state.units.find(*unit.key);
        const bool is_known = held != state.units.end();
        if (is_known && held->second.digest == short_digest(item) && *held->second.topic == topic) continue;
        auto record = unit_record(LeafKind::record_set,
                                  is_known ? Operation::alteration : Operation::collection, *unit.key);
        record.body = unit_body(*unit.key, item);
        record.sets.push_back(unit_key(*unit.key));
        emit(std::move(record));
    }

    if (load.mode == LoadMode::full && all_named && (report.accepted > 0 || load.none())) {
        std::vector<std::string> gone;
        const auto prefix = key_prefix(target.of);
        for (auto held = state.units.lower_bound(prefix); held != state.units.end(); ++held) {
            if (!held->first.starts_with(prefix)) break;
            if (*held->second.topic == topic && !named.contains(held->first)) gone.push_back(held->first);
        }
        for (const auto& key : gone) {
            auto record = unit_record(LeafKind::record_removed, Operation::alteration, key);
            record.body = unit_body(key, {});
            record.drops.push_back(unit_key(key));
            emit(std::move(record));
        }
    }
    report.code = report.rejected == 0   ? FileCode::all_loaded
                  : report.accepted == 0 ? FileCode::none_loaded
                                         : FileCode::some_loaded;
    if (!changed.empty() && is_personal(target.of) && !state.incidents.empty())
        reconsider_from_ = state.incidents.begin()->first;
    if (target.of == LoadOf::flags && (report.accepted > 0 || load.none()))
        tell_forces(target.la, changed, commit);
}

// Tells the sender, and destroys what was staged: `load` is gone afterwards.
void Decider::end_load(const LoadName& name, const OpenLoad& load, const LoadReport& report,
                       const log::Record& ending) {
    const std::string mailbox = "results/" + name.agency;
    const auto number = next_number(mailbox);
    const std::string seed =
        name.agency + "|" + name.topic + "|" + to_hex(load.id) + "|" + std::to_string(number);

    schemas::LoadResultValue result;
    result.load.assign(load.id.begin(), load.id.end());
    result.of = load.of;
    result.sequence = load.sequence;
    result.code = report.code;
    result.accepted = report.accepted;
    result.rejected = report.rejected;
    for (const auto& [item, where] : report.rejections) {
        auto row = std::make_unique<schemas::RecordResultValue>();
        row->number = item;
        row->where = where;
        result.results.push_back(std::move(row));
    }
    wire::Draft draft{
        schemas::Kind::load_result, mailbox, "", "", {}, load.id, wire::pack<schemas::LoadResult>(result)};
    const auto id = setting_.make_id("result|" + seed);
    auto envelope = wire::make_envelope(draft, id, setting_.make_id("result-salt|" + seed), now_);

    const bool applied = report.code == FileCode::all_loaded || report.code == FileCode::some_loaded ||
                         report.code == FileCode::none_loaded;
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.agency = name.agency;
    body.envelope = envelope;
    body.item = std::make_unique<schemas::MailboxItemValue>();
    body.item->topic = mailbox;
    body.item->number = number;
    body.load = std::make_unique<schemas::LoadFactsValue>();
    body.load->topic = name.topic;
    body.load->load.assign(load.id.begin(), load.id.end());
    body.load->sequence = load.sequence;
    body.load->applied = applied;
    body.load->accepted = report.accepted;
    body.load->none = applied && load.none();

    log::Record record = ending;
    record.leaf.topic = name.topic;
    record.leaf.recipient = name.agency;
    record.leaf.number = load.sequence;
    record.leaf.agreement = setting_.agreement.digest();
    record.leaf.outcome = name_of(report.code);
    record.leaf.candidates = report.accepted;
    if (!record.leaf.message) record.leaf.message = id;
    if (!record.leaf.related) record.leaf.related = load.records.front();
    record.body = pack_body(body);
    record.controller = name.agency;
    record.retention = "load";
    record.sets.push_back(delivery_key(mailbox, number));
    if (applied) record.sets.push_back(sequence_key(name));
    if (const auto target = load_target(name.topic);
        is_personal(load.of) && (report.accepted > 0 || body.load->none))
        record.sets.push_back(load.of == LoadOf::flags ? feed_key(target->la) : roll_key(target->scope));
    for (const auto index : load.records) record.shreds.push_back(load_key(index));
    if (!record.shreds.empty()) record.leaf.operation = Operation::erasure;
    const auto index = emit(std::move(record));
    outcome_.deliveries.push_back({mailbox, number, index, std::move(envelope)});
}

void Decider::abandon_loads() {
    std::vector<LoadName> overdue;
    for (const auto& [name, load] : state.loads)
        if (load.begun + limits::load_open_max <= now_) overdue.push_back(name);
    for (const auto& name : overdue)
        end_load(name, state.loads.at(name), {FileCode::abandoned, 0, 0, {}},
                 record_by_broker(LeafKind::load_applied, Operation::none));
}

}  // namespace flagpost::exchange
