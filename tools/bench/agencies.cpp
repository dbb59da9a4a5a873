#include "tools/bench/agencies.h"

#include <fstream>
#include <sstream>

#include "broker/crypto/digest.h"
#include "broker/log/merkle.h"
#include "incident_generated.h"

namespace flagpost::bench {
namespace {

void put_number(Bytes& out, std::uint64_t number, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(number >> shift));
}

}  // namespace

Agency load_agency(const std::filesystem::path& certs, const std::string& kind, const std::string& code) {
    const auto folder = certs / (kind + "-" + code);
    return Agency{code,
                  crypto::make_client_context({folder / "tls.crt", folder / "tls.key", certs / "ca.crt", {}}),
                  std::make_shared<crypto::OriginKey>(crypto::OriginKey::load(folder / "origin.key"))};
}

std::vector<Agency> load_bench_agencies(const std::filesystem::path& certs, std::size_t wanted) {
    std::vector<Agency> agencies;
    while (agencies.size() < std::max<std::size_t>(wanted, 1)) {
        const auto code = std::to_string(agencies.size() + 1);
        if (!agencies.empty() && !std::filesystem::exists(certs / ("bench-" + code))) break;
        agencies.push_back(load_agency(certs, "bench", code));
    }
    return agencies;
}

std::vector<Agency> load_publishers(const Options& options, std::size_t wanted) {
    if (options.kind == Kind::opaque) return load_bench_agencies(options.certs, wanted);
    std::vector<Agency> force;
    force.push_back(load_agency(options.certs, "police", options.force));
    return force;
}

Id16 Ids::make(std::size_t connection, std::uint64_t sequence) const {
    Bytes bytes;
    put_number(bytes, static_cast<std::uint64_t>(to_us(SystemClock{}.now()) / 1000), 6);
    bytes.insert(bytes.end(), run_.begin(), run_.end());
    put_number(bytes, connection, 2);
    put_number(bytes, sequence, 4);
    auto id = exactly<16>(bytes).value();
    id[6] = static_cast<std::uint8_t>(0x70 | (id[6] & 0x0f));
    id[8] = static_cast<std::uint8_t>(0x80 | (id[8] & 0x3f));
    return id;
}

std::optional<std::uint64_t> Ids::sequence_of(BytesView id) {
    if (id.size() != 16) return std::nullopt;
    std::uint64_t sequence = 0;
    for (const auto byte : id.last(4)) sequence = sequence << 8 | byte;
    return sequence;
}

Payloads::Payloads(const Options& options, Random& random)
    : options_{options}, run_{to_hex(random.bytes<4>())} {
    state_ = 1;
    for (const auto byte : random.bytes<8>()) state_ = state_ << 8 | byte;
    if (options.kind == Kind::opaque) return;
    std::ifstream file{options.people};
    for (std::string line; std::getline(file, line);) {
        Person person;
        std::istringstream cells{line};
        std::getline(cells, person.family, ',');
        std::getline(cells, person.given, ',');
        std::getline(cells, person.born, ',');
        std::getline(cells, person.line_1, ',');
        std::getline(cells, person.postcode, ',');
        if (person.family != "family") people_.push_back(std::move(person));
    }
    if (people_.empty()) throw std::runtime_error{"--kind incident needs --people"};
}

std::uint64_t Payloads::pick(std::size_t below) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % below;
}

wire::Draft Payloads::draft(const std::string& code) const {
    if (options_.kind == Kind::opaque) return {schemas::Kind::opaque, "bench/" + code, "", "", {}, {}, {}};
    return {schemas::Kind::incident, "incidents/" + options_.force, "", "", {}, {}, {}};
}

Bytes Payloads::make(const Numbered& message) {
    return options_.kind == Kind::opaque ? make_opaque(message) : make_incident(message);
}

Bytes Payloads::make_opaque(const Numbered& message) const {
    Bytes payload;
    payload.reserve(options_.size);
    put_number(payload, static_cast<std::uint64_t>(message.scheduled_ns), 8);
    put_number(payload, message.connection, 4);
    put_number(payload, message.sequence, 8);
    payload.resize(options_.size, 0x2e);
    return payload;
}

std::string Payloads::incident_reference(const Numbered& message) {
    return std::to_string(message.connection) + "-" + std::to_string(message.sequence) + "-" +
           std::to_string(message.scheduled_ns);
}

/// A child and a parent at an address. Those that are no hit borrow names from flagged children but neither
/// their dates of birth nor their homes, so that the matcher has to look at real candidates.
Bytes Payloads::make_incident(const Numbered& message) {
    const bool hit = pick(1000) < options_.hits;
    const auto& child = people_[pick(people_.size())];
    const auto& other = people_[pick(people_.size())];
    schemas::IncidentValue incident;
    incident.force = options_.force;
    incident.reference = run_ + "-" + incident_reference(message);
    incident.version = 1;
    incident.occurred_us = incident.recorded_us = to_us(SystemClock{}.now());
    incident.category = "Concern for safety";
    incident.place = std::make_unique<schemas::PlaceValue>();
    incident.place->line_1 = hit ? child.line_1 : std::to_string(1 + pick(200)) + " Elsewhere Lane";
    incident.place->postcode =
        hit ? child.postcode : "ZZ" + std::to_string(1 + pick(9)) + " " + std::to_string(pick(10)) + "ZZ";
    for (const auto role : {schemas::Role::victim, schemas::Role::child}) {
        auto person = std::make_unique<schemas::IncidentPersonValue>();
        person->role = role;
        person->present = true;
        person->person = std::make_unique<schemas::PersonValue>();
        const bool is_child = role == schemas::Role::child;
        person->person->given_names = is_child ? child.given : other.given;
        person->person->family_name = hit || is_child ? child.family : other.family;
        person->person->date_of_birth =
            is_child && hit ? child.born
                            : std::to_string(is_child ? 2010 + pick(12) : 1970 + pick(30)) + "-0" +
                                  std::to_string(1 + pick(9)) + "-" + std::to_string(10 + pick(18));
        incident.people.push_back(std::move(person));
    }
    const auto bare = wire::pack<schemas::Incident>(incident).size();
    incident.circumstances.assign(options_.size > bare + 8 ? options_.size - bare - 8 : 1, '.');
    return wire::pack<schemas::Incident>(incident);
}

std::vector<Bytes> publish_frames(const crypto::OriginKey& key, const std::vector<Bytes>& envelopes) {
    std::vector<Digest> digests;
    digests.reserve(envelopes.size());
    for (const auto& envelope : envelopes) digests.push_back(crypto::sha256(envelope));
    const auto tree = log::batch_tree(digests);
    schemas::OriginValue origin;
    origin.signature = key.sign(wire::origin_message(tree.root));
    origin.size = static_cast<std::uint32_t>(envelopes.size());
    std::vector<Bytes> frames;
    frames.reserve(envelopes.size());
    for (std::size_t i = 0; i < envelopes.size(); ++i) {
        origin.index = static_cast<std::uint32_t>(i);
        origin.path.clear();
        for (const auto& hash : tree.paths[i]) {
            origin.path.push_back(std::make_unique<schemas::HashValue>());
            origin.path.back()->bytes.assign(hash.begin(), hash.end());
        }
        frames.push_back(wire::publish_frame(envelopes[i], origin));
    }
    return frames;
}

}  // namespace flagpost::bench
