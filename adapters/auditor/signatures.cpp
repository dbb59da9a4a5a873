#include "adapters/auditor/signatures.h"

#include <algorithm>
#include <set>

#include "adapters/auditor/layout.h"
#include "adapters/auditor/origin_keys.h"
#include "adapters/auditor/records.h"
#include "adapters/auditor/replay.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/body.h"
#include "broker/log/merkle.h"
#include "broker/wire/frames.h"
#include "notice_generated.h"

namespace flagpost::auditor {
namespace {

using log::LeafKind;

constexpr std::size_t batches_remembered_max = 4096;

/// Entries that are what an agency said, and hold its message.
bool is_said(const log::Leaf& leaf) {
    const bool is_broker = agency_of(leaf.actor).starts_with("broker/");
    return !is_broker && (leaf.kind == LeafKind::published || leaf.kind == LeafKind::opened ||
                          leaf.kind == LeafKind::recorded || leaf.kind == LeafKind::staff_changed);
}

bool is_of_list(const log::Leaf& leaf) {
    return leaf.kind == LeafKind::record_set || leaf.kind == LeafKind::record_removed;
}

/// What the entry says that the message does not; nothing if they agree.
const char* contradiction(const log::Leaf& leaf, const wire::EnvelopeView& envelope) {
    if (envelope.topic != leaf.topic) return "is of another topic than the message";
    if (leaf.kind == LeafKind::published || leaf.kind == LeafKind::staff_changed)
        return leaf.message == envelope.id ? nullptr : "names another message than the one it holds";
    if (envelope.kind == schemas::Kind::review_decision) {
        const auto decision = wire::read_table<schemas::ReviewDecision>(envelope.payload, "decision");
        const bool agrees = decision && leaf.kind == LeafKind::recorded && leaf.message &&
                            std::ranges::equal(exchange::bytes_of((*decision)->review()), *leaf.message);
        return agrees ? nullptr : "is not the decision that was signed";
    }
    if (envelope.kind == schemas::Kind::answer) {
        const auto answer = wire::read_table<schemas::QuestionAnswer>(envelope.payload, "answer");
        const bool agrees = answer && leaf.kind == LeafKind::recorded && leaf.message &&
                            std::ranges::equal(exchange::bytes_of((*answer)->question()), *leaf.message) &&
                            (*answer)->outcome()->string_view() == leaf.outcome;
        return agrees ? nullptr : "is not the answer that was signed";
    }
    const auto receipt = wire::read_table<schemas::Receipt>(envelope.payload, "receipt");
    const auto level = leaf.kind == LeafKind::opened ? schemas::Level::opened : schemas::Level::recorded;
    const bool agrees =
        receipt && envelope.kind == schemas::Kind::receipt && leaf.message &&
        std::ranges::equal(exchange::bytes_of((*receipt)->notice()), *leaf.message) &&
        (*receipt)->level() == level &&
        ((*receipt)->outcome() == nullptr || (*receipt)->outcome()->string_view() == leaf.outcome);
    return agrees ? nullptr : "is not the receipt that was signed";
}

class Check {
public:
    explicit Check(const std::filesystem::path& directory) : directory_{directory} {}

    void add(const Record& record) {
        if (record.leaf.kind == LeafKind::parties_set) return take_parties(record);
        if (is_of_list(record.leaf)) ++result_.of_lists;
        if (!is_said(record.leaf)) return;
        if (record.state == BodyState::none)
            return report(record, "says what an agency said, and holds no message");
        if (record.state != BodyState::open) {
            ++result_.unreadable;
            return;
        }
        if (const char* const why = fault_of(record))
            report(record, why);
        else
            ++result_.held;
    }

    Signatures result() && {
        std::ranges::sort(messages_);
        for (std::size_t i = 1; i < messages_.size(); ++i)
            if (messages_[i].first == messages_[i - 1].first)
                report(messages_[i].second,
                       "holds the message of entry " + std::to_string(messages_[i - 1].second) + " again");
        return std::move(result_);
    }

private:
    void report(std::uint64_t index, std::string why) {
        if (++result_.damage_count <= damages_named_max)
            result_.damages.push_back({"entry " + std::to_string(index), std::move(why)});
    }
    void report(const Record& record, const char* why) { report(record.index, why); }

    /// Messages that came just before another list was put in force were judged by the one before.
    void take_parties(const Record& record) {
        before_ = std::move(now_);
        now_.reset();
        since_ = record.leaf.time;
        const auto path = text_set_by(record.leaf);
        const auto file = path ? MappedFile::open(directory_ / *path) : std::nullopt;
        if (!file) return report(record, "put a list of parties in force that is not here");
        if (crypto::sha256(file->bytes()) != record.leaf.setting)
            return report(record, "put another list of parties in force than the one that is here");
        try {
            now_ = OriginKeys::parse(text(file->bytes()));
        } catch (const std::runtime_error& error) {
            report(record.index, error.what());
        }
    }

    const char* fault_of(const Record& record) {
        const auto& body = exchange::read_body(record.body);
        const auto bytes = exchange::bytes_of(body.envelope());
        const auto envelope = wire::read_envelope(bytes);
        if (!envelope) return "holds no message";
        const auto signature = copy(exchange::bytes_of(body.origin()));  // aligned for reading in place
        const auto origin = wire::read_table<schemas::Origin>(signature, "origin");
        if (!origin) return "holds a message without a signature";
        if (const auto root = root_of(**origin, bytes); !root || !is_signed(record.leaf, *root, **origin))
            return "holds a message that the agency it names did not sign";
        messages_.emplace_back(envelope->id, record.index);
        return contradiction(record.leaf, *envelope);
    }

    /// Of the batch that was signed.
    static std::optional<Digest> root_of(const schemas::Origin& origin, BytesView envelope) {
        std::vector<Digest> path;
        if (origin.path() != nullptr)
            for (const auto* hash : *origin.path()) {
                const auto fixed = exactly<sizeof(Digest)>(exchange::bytes_of(hash->bytes()));
                if (!fixed) return std::nullopt;
                path.push_back(*fixed);
            }
        return log::root_from_proof(origin.index(), origin.size(), log::leaf_hash(crypto::sha256(envelope)),
                                    path);
    }

    bool is_signed(const log::Leaf& leaf, const Digest& root, const schemas::Origin& origin) {
        const auto agency = agency_of(leaf.actor);
        const auto signature = exchange::bytes_of(origin.signature());
        const auto batch = crypto::sha256({view(agency), root, signature});
        if (batches_.contains(batch)) return true;
        const auto message = wire::origin_message(root);
        const auto holds = [&](const std::optional<OriginKeys>& keys) {
            return keys && keys->signed_by(agency, leaf.time, message, signature);
        };
        if (!holds(now_) && !(leaf.time < since_ + OriginKeys::slack && holds(before_))) return false;
        if (batches_.size() == batches_remembered_max) batches_.clear();
        batches_.insert(batch);
        return true;
    }

    const std::filesystem::path& directory_;
    std::optional<OriginKeys> now_, before_;
    Instant since_ = Instant::min();                        // now_ is in force
    std::set<Digest> batches_;                              // of the messages at hand, found signed
    std::vector<std::pair<Id16, std::uint64_t>> messages_;  // and their entries
    Signatures result_;
};

}  // namespace

Signatures check_signatures(const std::filesystem::path& directory, const crypto::BoxKey& key,
                            const Progress& progress) {
    Records records{directory, &key};
    Check check{directory};
    while (const auto record = records.next()) {
        check.add(*record);
        if (progress && record->index % 1024 == 0) progress(record->index, records.size());
    }
    return std::move(check).result();
}

std::string in_words(const Signatures& signatures) {
    const auto& s = signatures;
    return (s.hold() ? "signatures: " : "NOT SIGNED: ") + std::to_string(s.held) +
           " messages and receipts are signed by whom their entries name, " + std::to_string(s.damage_count) +
           " are not; " + std::to_string(s.unreadable) + " cannot be read, and " +
           std::to_string(s.of_lists) + " records came in lists, whose messages are destroyed once applied";
}

}  // namespace flagpost::auditor
