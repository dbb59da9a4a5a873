/// A broker over a store in memory and one gate, driven step by step: nothing is committed before a test says so.
#pragma once

#include <spdlog/spdlog.h>

#include "broker/crypto/keys.h"
#include "broker/router/broker.h"
#include "tests/support/memory_store.h"
#include "tests/unit/router/peer.h"

namespace flagpost::test {

inline constexpr const char* small_agreement = R"(
partnership = "county.example"
[[party]]
agency = "bench/1"
name = "Measurement"
[[party]]
agency = "bench/2"
name = "More measurement"
[[party]]
agency = "operator/duty"
name = "Operations"
[[party]]
agency = "auditor/office"
name = "Audit"
)";

inline crypto::SymmetricKey key(std::uint8_t fill) {
    std::array<std::uint8_t, 32> bytes;
    bytes.fill(fill);
    return crypto::SymmetricKey{bytes};
}

struct World {
    Instant now = start_time;
    Peer bench{"bench/1"};
    Peer auditor{"auditor/office"};
    router::Parties parties;
    SeededRandom random;
    std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
    MemoryStore store{disk};
    MemoryReader reader{disk};
    crypto::NoteKey log_key = crypto::NoteKey::from_seed({9});
    bool room = true;
    std::string agreement = small_agreement, parties_text = "# parties\n", keys = {};
    std::unique_ptr<exchange::Exchange> exchange;
    std::unique_ptr<router::Broker> broker;
    std::map<Id16, std::vector<Bytes>> frames;  // sent to each session, not yet looked at
    std::map<Id16, std::vector<Reason>> kicks;
    std::map<Id16, std::uint64_t> windows;
    std::vector<Bytes> challenges;
    std::uint8_t next_session = 1;

    World() {
        spdlog::set_level(spdlog::level::off);
        bench.enrol(parties);
        auditor.enrol(parties);
        start();
    }

    /// By agency.
    static std::vector<standing::Peer> watched() {
        standing::Peer audit{"auditor/office", "Audit"}, measurement{"bench/1", "Measurement"};
        measurement.witness = true;
        return {audit, measurement};
    }

    exchange::InForce texts() const { return {agreement, parties_text, keys, "# revoked\n", 1}; }

    /// From what is on disk: what a process does after kill -9.
    void start() {
        exchange = std::make_unique<exchange::Exchange>(
            exchange::Setting{agreement::Agreement::parse(agreement).value(), spiffe("broker/main"),
                              [](std::string_view seed) { return crypto::hmac16(key(1), {view(seed)}); },
                              date::locate_zone("Europe/London"), pseudonym});
        store.reload([&](std::uint64_t index, log::LeafKind kind, const Bytes& body) {
            exchange->apply(index, kind, body);
        });
        exchange->set_next_index(store.size());
        frames.clear();
        kicks.clear();
        broker = std::make_unique<router::Broker>(router::BrokerSetting{*exchange,
                                                                        reader,
                                                                        parties,
                                                                        random,
                                                                        key(2),
                                                                        key(3),
                                                                        vkey(),
                                                                        [this] { return room; },
                                                                        texts(),
                                                                        store.size(),
                                                                        store.root(),
                                                                        now,
                                                                        {},
                                                                        [] { return false; },
                                                                        watched()},
                                                  at(now));
        commit();
        sign_head();
    }

    log::VerifierKey vkey() const {
        return {"county.example/log", log::VerifierKey::Type::note, log_key.public_key()};
    }
    std::string head() const {
        const std::string text =
            log::Checkpoint{"county.example/log", disk->tree.size(), disk->tree.root()}.format();
        return log::SignedNote{text, {log::sign_note(text, "county.example/log", log_key)}}.format();
    }
    void sign_head() { broker->head_signed(head()); }

    /// One batch: whether there was one. Effects of it are in `frames` afterwards.
    bool commit() {
        auto batch = broker->next_batch(at(now));
        if (batch) broker->committed(store.commit(std::move(*batch)), at(now));
        collect();
        return batch.has_value();
    }

    void send_item(wire::fabric::ItemKind kind, const Id16& session, BytesView content, bool trusted = true,
                   const std::string& gate = "igate") {
        Bytes batch;
        wire::fabric::append(batch, kind, session, content);
        broker->from_gate(gate, trusted, batch, at(now));
        collect();
    }
    void send(const Id16& session, BytesView frame) {
        send_item(wire::fabric::ItemKind::frame, session, frame);
    }
    Id16 connect(const std::string& agency) {
        const Id16 session{next_session++};
        send_item(wire::fabric::ItemKind::open, session,
                  wire::fabric::write_opening(
                      {spiffe(agency), Digest{1}, now + std::chrono::hours{24 * 30}, "127.0.0.1:1"}));
        return session;
    }
    Id16 open(const std::string& agency) {
        const Id16 session = connect(agency);
        send(session, hello());
        commit();
        frames[session].clear();
        return session;
    }

    void collect() {
        for (const auto& [gate, batch] : broker->take_output()) {
            const auto items = wire::fabric::read_batch(batch).value();
            for (const auto& item : items) {
                if (item.kind == wire::fabric::ItemKind::frame)
                    frames[item.session].push_back(copy(item.content));
                if (item.kind == wire::fabric::ItemKind::kick)
                    kicks[item.session].push_back(wire::fabric::read_ending(item.content)->reason);
                if (item.kind == wire::fabric::ItemKind::window)
                    windows[item.session] += wire::fabric::read_window(item.content).value();
                if (item.kind == wire::fabric::ItemKind::challenge) challenges.push_back(copy(item.content));
            }
        }
    }

    /// All frames of one type sent to a session since last asked, as values.
    template <class Table> std::vector<typename Table::NativeTableType> take(const Id16& session) {
        std::vector<typename Table::NativeTableType> found;
        auto& all = frames[session];
        for (auto frame = all.begin(); frame != all.end();) {
            const auto* table = (*wire::read_frame(*frame))->template body_as<Table>();
            if (table == nullptr) {
                ++frame;
                continue;
            }
            found.emplace_back();
            table->UnPackTo(&found.back());
            frame = all.erase(frame);
        }
        return found;
    }
    std::vector<std::uint64_t> delivered(const Id16& session) {
        std::vector<std::uint64_t> numbers;
        for (const auto& each : take<schemas::Deliver>(session)) numbers.push_back(each.number);
        return numbers;
    }
    std::vector<log::LeafKind> leaves() const {
        std::vector<log::LeafKind> kinds;
        for (const auto& entry : disk->entries) kinds.push_back(entry.kind);
        return kinds;
    }
};

}  // namespace flagpost::test
