/// The parties a bench speaks as, and the messages it makes in their name.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/crypto/signature.h"
#include "broker/crypto/tls.h"
#include "broker/wire/frames.h"
#include "tools/bench/options.h"

namespace flagpost::bench {

struct Agency {
    std::string code;
    crypto::TlsContext tls;
    std::shared_ptr<crypto::OriginKey> origin;
};

/// A party's folder below --certs. Throws CryptoFailure if it is not there.
Agency load_agency(const std::filesystem::path& certs, const std::string& kind, const std::string& code);

/// bench/1, bench/2, ... as many as there are, at most `wanted`, at least one.
std::vector<Agency> load_bench_agencies(const std::filesystem::path& certs, std::size_t wanted);

/// Whoever publishes this kind: the bench agencies, or the one force.
std::vector<Agency> load_publishers(const Options& options, std::size_t wanted);

/// Message ids that tell which connection's which message they are, and differ from run to run.
class Ids {
public:
    explicit Ids(Random& random) : run_{random.bytes<4>()} {}
    Id16 make(std::size_t connection, std::uint64_t sequence) const;
    /// The sequence, if this run made the id for this connection.
    static std::optional<std::uint64_t> sequence_of(BytesView id);

private:
    std::array<std::uint8_t, 4> run_;
};

/// What one message is made from.
struct Numbered {
    std::size_t connection;
    std::uint64_t sequence;
    std::int64_t scheduled_ns;
};

/// Makes payloads of the asked kind and size.
class Payloads {
public:
    Payloads(const Options& options, Random& random);
    Bytes make(const Numbered& message);
    /// Where and by whom, for a publisher of this code.
    wire::Draft draft(const std::string& code) const;
    static std::string incident_reference(const Numbered& message);

private:
    struct Person {
        std::string family, given, born, line_1, postcode;
    };
    Bytes make_opaque(const Numbered& message) const;
    Bytes make_incident(const Numbered& message);
    std::uint64_t pick(std::size_t below);

    Options options_;
    std::vector<Person> people_;
    std::uint64_t state_;
    std::string run_;
};

/// Signs a batch of at most limits::origin_batch_max envelopes once and frames each with its path.
std::vector<Bytes> publish_frames(const crypto::OriginKey& key, const std::vector<Bytes>& envelopes);

}  // namespace flagpost::bench
