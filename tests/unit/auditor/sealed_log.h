/// What an exchange did, sealed and logged as the store would, and exported to one auditor.
#pragma once

#include "broker/crypto/seal.h"
#include "broker/log/disclosure.h"
#include "tests/unit/auditor/sample_log.h"
#include "tests/unit/exchange/world.h"

namespace flagpost::test {

class CountingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& byte : out)
            byte = static_cast<std::uint8_t>(state_ = state_ * 1103515245u + 12345u, state_ >> 16);
    }

private:
    std::uint32_t state_ = 1;
};

/// A log of records as an exchange made them; any may be changed before it is sealed.
class SealedLog final : public auditor::Source {
public:
    explicit SealedLog(std::vector<log::Record> records, std::set<std::uint64_t> erased = {}) {
        CountingRandom random;
        const crypto::SymmetricKey digest_key{{3}};
        crypto::Sealer sealer{crypto::SymmetricKey{{5}}, random};
        for (auto& record : records) {
            record.leaf.index = log_.size();
            for (const auto& subject : record.subjects)
                record.leaf.subjects.push_back(crypto::hmac16(digest_key, {view(subject)}));
            keys_.emplace_back();
            if (auditor::puts_text_in_force(record.leaf.kind))
                settings_[record.leaf.index] = exchange::read_body(record.body).setting()->text()->str();
            Bytes item;
            if (!record.body.empty()) {
                const crypto::SealLabel label{record.controller, record.retention, record.leaf.index};
                const auto sealed = sealer.seal(record.body, label);
                record.leaf.body = sealed.digest;
                item.assign(sealed.wrap.begin(), sealed.wrap.begin() + 16);
                item.insert(item.end(), sealed.ciphertext.begin(), sealed.ciphertext.end());
                keys_.back() =
                    log::BodyKey{*sealer.body_key(sealed.wrap, label), record.controller, record.retention};
            }
            const bool is_erased = erased.contains(record.leaf.index);
            if (is_erased) keys_.back().reset();
            log_.append_bytes(log::encode(record.leaf), is_erased ? Bytes{} : item);
        }
    }

    std::string checkpoint() override { return log_.checkpoint(); }
    log::TileHashes tile(log::TileId id, std::size_t width) override { return log_.tile(id, width); }
    std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override {
        return log_.entries(from, count);
    }
    std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override {
        return log_.bodies(from, count);
    }
    Bytes keys(std::uint64_t from, std::size_t count, const auditor::SealedTerms& terms) override {
        const auto scope = *log::Scope::parse(terms.scope);
        log::KeysPage page{from, {}};
        for (auto index = from; index < from + count; ++index) {
            const auto& key = keys_[index];
            page.keys.push_back(key && scope.covers(index, key->controller) ? key : std::nullopt);
        }
        return page.seal_to(terms.key);
    }
    std::optional<std::string> setting(std::uint64_t index) override {
        const auto found = settings_.find(index);
        return found == settings_.end() ? std::nullopt : std::optional{found->second};
    }

private:
    SampleLog log_{0};
    std::vector<std::optional<log::BodyKey>> keys_;
    std::map<std::uint64_t, std::string> settings_;
};

/// Its export, and the key that opens it.
struct SealedExport {
    TemporaryDirectory temporary;
    crypto::BoxKey key = crypto::BoxKey::generate();
    std::filesystem::path directory = temporary.path() / "export";

    explicit SealedExport(std::vector<log::Record> records, std::set<std::uint64_t> erased = {},
                          const std::string& scope = "all") {
        SealedLog log{std::move(records), std::move(erased)};
        auditor::write_export(log, log_vkey(), directory,
                              auditor::SealedTerms{scope, "ICO-1", key.public_key()});
    }
};

/// What came of a register, some incidents, answers, an update and a late flag.
inline std::vector<log::Record> busy_records() {
    using namespace exchange::testing;
    World world;
    world.give(exchange::Started{texts(1, 1)});
    Load flags;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "100", home_a)),
                   wire::pack<schemas::Flag>(flag(child_b, "200"))};
    world.load(flags);
    world.send(incident_with(child_a, "OCC-1"));
    for (const auto& record : std::vector{world.last.records})
        if (record.leaf.kind == log::LeafKind::notice_issued)
            world.receipt(record.leaf.recipient, *record.leaf.message, schemas::Level::recorded);
    auto second = incident_with(child_a, "OCC-1", 2);
    second.circumstances = "It went on.";
    world.tick(std::chrono::hours{1});
    world.send(second);
    const auto elsewhere = [](schemas::IncidentValue incident) {
        incident.place = place(home_a + 999);
        return incident;
    };
    world.send(elsewhere(incident_with(child_b, "OCC-2")));
    world.send(elsewhere(incident_with(stranger, "OCC-3")));
    const Who late_child{"Marguerite Anna", "Oyelaran", "2014-08-30"};
    world.send(elsewhere(incident_with(late_child, "OCC-4")));
    world.tick(std::chrono::hours{1});
    flags.sequence = 2;
    flags.items.push_back(wire::pack<schemas::Flag>(flag(late_child, "300")));
    world.load(flags);
    world.tick(std::chrono::minutes{1});
    return world.records;
}

}  // namespace flagpost::test
