#include "adapters/client/load.h"

#include <algorithm>
#include <stdexcept>

#include "broker/crypto/digest.h"

namespace flagpost::client {
namespace {

/// Half a payload, so that a part's own framing can never make it too large.
constexpr std::size_t part_bytes_max = limits::payload_size_max / 2;

template <class Table> wire::Draft draft_of(const Load& load, const Id16& id, schemas::Kind kind,
                                            const typename Table::NativeTableType& value) {
    wire::Draft draft{kind, load.topic, to_hex(id), {}, {}, {}, {}};
    draft.payload = wire::pack<Table>(value);
    return draft;
}

Bytes all_bytes(const std::vector<Bytes>& records) {
    Bytes all;
    for (const Bytes& record : records) {
        if (record.size() > part_bytes_max)
            throw std::invalid_argument{"a load's record is too large to send"};
        all.insert(all.end(), record.begin(), record.end());
        if (all.size() > limits::load_bytes_max) throw std::invalid_argument{"a load is too large to send"};
    }
    return all;
}

}  // namespace

std::vector<std::pair<wire::Draft, std::string>> drafts_of(const Load& load, const Id16& load_id) {
    if (load.records.empty() != load.none)
        throw std::invalid_argument{"a load of nothing is a mistake unless it says so: no broker takes it"};
    if (load.records.size() > limits::load_records_max)
        throw std::invalid_argument{"a load has too many records"};
    const Bytes id = copy(load_id);
    std::vector<std::pair<wire::Draft, std::string>> drafts;
    const auto add = [&](wire::Draft draft) { drafts.emplace_back(std::move(draft), load.source); };

    schemas::LoadBeginValue begin;
    begin.load = id;
    begin.of = load.of;
    begin.mode = load.mode;
    begin.sequence = load.sequence;
    begin.count = static_cast<std::uint32_t>(load.records.size());
    begin.digest = copy(crypto::sha256(all_bytes(load.records)));
    begin.scope = load.scope;
    begin.none = load.none;
    add(draft_of<schemas::LoadBegin>(load, load_id, schemas::Kind::load_begin, begin));

    schemas::LoadPartValue part;
    part.load = id;
    std::size_t part_bytes = 0;
    const auto close_part = [&] {
        if (part.records.empty()) return;
        add(draft_of<schemas::LoadPart>(load, load_id, schemas::Kind::load_part, part));
        part.records.clear();
        part_bytes = 0;
        ++part.part;
    };
    for (const Bytes& record : load.records) {
        if (part.records.size() == limits::load_part_records_max ||
            part_bytes + record.size() > part_bytes_max)
            close_part();
        part.records.push_back(std::make_unique<schemas::LoadRecordValue>());
        part.records.back()->bytes = record;
        part_bytes += record.size();
    }
    close_part();

    schemas::LoadCommitValue commit;
    commit.load = id;
    commit.parts = part.part;
    add(draft_of<schemas::LoadCommit>(load, load_id, schemas::Kind::load_commit, commit));
    return drafts;
}

}  // namespace flagpost::client
