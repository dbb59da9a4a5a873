/// A publisher's keys and its frames, as a client would make them.
#pragma once

#include <random>

#include "broker/core/wall_time.h"
#include "broker/crypto/digest.h"
#include "broker/log/merkle.h"
#include "broker/router/parties.h"
#include "broker/wire/frames.h"

namespace flagpost::test {

const inline Instant start_time = from_us(1'740'000'000'000'000);

/// By both clocks, where nobody has set the one on the wall.
inline Now at(Instant wall) { return {wall, Running{wall - start_time}}; }

inline SpiffeId spiffe(const std::string& agency) {
    return SpiffeId::parse("spiffe://county.example/" + agency).value();
}

class SeededRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& byte : out) byte = static_cast<std::uint8_t>(generator_());
    }

private:
    std::mt19937 generator_{1};
};

struct Peer {
    explicit Peer(std::string name) : agency{std::move(name)} {}

    std::string agency;
    crypto::OriginKey origin = crypto::OriginKey::generate();
    crypto::NoteKey witness = crypto::NoteKey::from_seed({7});
    SeededRandom random;

    log::VerifierKey witness_key() const {
        return {"county.example/" + agency, log::VerifierKey::Type::cosignature, witness.public_key()};
    }
    void enrol(router::Parties& parties, Instant from = start_time - std::chrono::hours{1},
               Instant until = start_time + std::chrono::hours{24 * 365}) const {
        auto& keys = parties.keys[AgencyId::parse(agency).value()];
        keys.origin.push_back({crypto::OriginVerifier::parse(origin.public_der()).value(), from, until});
        keys.witness.push_back({witness_key(), from, until});
    }
    Bytes envelope(const std::string& topic, Instant now = start_time, std::size_t size = 10) {
        const wire::Draft draft{schemas::Kind::opaque, topic, "", "", {}, {}, Bytes(size, 1)};
        return wire::make_envelope(draft, make_uuid7(now, random), random.bytes<16>(), now);
    }
    schemas::OriginValue sign(const std::vector<Bytes>& batch, std::size_t place) const {
        std::vector<Digest> entries;
        for (const auto& each : batch) entries.push_back(crypto::sha256(each));
        schemas::OriginValue value;
        value.signature = origin.sign(wire::origin_message(log::batch_root(entries)));
        value.index = static_cast<std::uint32_t>(place);
        value.size = static_cast<std::uint32_t>(batch.size());
        for (const Digest& hash : log::batch_proof(entries, place)) {
            value.path.push_back(std::make_unique<schemas::HashValue>());
            value.path.back()->bytes = copy(hash);
        }
        return value;
    }
    Bytes publish(const Bytes& bytes) const { return wire::publish_frame(bytes, sign({bytes}, 0)); }
};

inline Bytes hello(std::uint16_t version = 1, std::string checkpoint = "") {
    schemas::HelloValue value;
    value.version = version;
    value.software = "test/1";
    value.checkpoint = std::move(checkpoint);
    return wire::pack_frame(std::move(value));
}

inline Bytes subscribe(const std::vector<std::string>& topics, std::uint32_t messages = 100,
                       std::uint64_t bytes = 1 << 20, const std::string& durable = "main") {
    schemas::SubscribeValue value;
    value.durable = durable;
    value.topics = topics;
    value.credit_messages = messages;
    value.credit_bytes = bytes;
    return wire::pack_frame(std::move(value));
}

inline Id16 id_of(const Bytes& envelope) { return wire::read_envelope(envelope)->id; }

}  // namespace flagpost::test
