#include "adapters/police/intake.h"

#include <algorithm>
#include <charconv>

#include "adapters/police/incident_rows.h"
#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/wire/frames.h"

namespace flagpost::police {
namespace {

/// What the box remembers of a version: the digest of its content and the message it went out with.
std::string fact_of(std::uint32_t version, const std::string& reference) {
    return "incident/" + std::to_string(version) + "/" + reference;
}
std::string last_of(const std::string& reference) { return "incident/last/" + reference; }

schemas::IncidentValue unpacked(const Bytes& payload) {
    const auto table = wire::read_table<schemas::Incident>(payload, "payload");
    if (!table) throw std::logic_error{"an incident made here cannot be read"};
    schemas::IncidentValue value;
    (*table)->UnPackTo(&value);
    return value;
}

Bytes with_version(const Handed& incident, std::uint32_t version) {
    if (version == incident.version) return incident.payload;
    auto value = unpacked(incident.payload);
    value.version = version;
    return wire::pack<schemas::Incident>(value);
}

Id16 id_of(const std::string& hex) {
    const auto bytes = from_hex(hex);
    const auto id = bytes ? exactly<16>(*bytes) : std::nullopt;
    if (!id) throw std::runtime_error{"the box remembers an incident in a form that is not known"};
    return *id;
}

struct Before {
    std::string digest;
    Id16 message;
};

std::optional<Before> before(const client::Box& box, std::uint32_t version, const std::string& reference) {
    const auto fact = box.fact(fact_of(version, reference));
    if (!fact) return std::nullopt;
    const auto blank = fact->find(' ');
    return Before{fact->substr(0, blank), id_of(blank == std::string::npos ? "" : fact->substr(blank + 1))};
}

std::uint32_t last_version(const client::Box& box, const std::string& reference) {
    const std::string text = box.fact(last_of(reference)).value_or("0");
    std::uint32_t version = 0;
    std::from_chars(text.data(), text.data() + text.size(), version);
    return version;
}

/// Thrown to undo what was taken together with one in conflict.
struct Undo {};

}  // namespace

std::optional<Handed> handed_of(const nlohmann::json& object, const std::string& force, bool counted,
                                std::string source, Instant now, desk::Findings& findings) {
    const schemas::IncidentValue incident = read_incident(object, force, findings);
    // Sent all the same: it may be the clock that is wrong, and then nobody's child must wait for it.
    constexpr auto ahead = "lies in the future by this machine's clock, sent as it stands";
    if (incident.occurred_us > to_us(now + ahead_max))
        findings.left_out("occurred", ahead);
    else if (incident.recorded_us > to_us(now + ahead_max))  // where nothing stands it is when it occurred
        findings.left_out("recorded", ahead);
    if (!findings.usable()) return std::nullopt;
    Handed handed{incident.reference,
                  incident.version,
                  counted,
                  wire::pack<schemas::Incident>(incident),
                  std::move(source),
                  {}};
    if (handed.payload.size() > limits::payload_size_max) {
        findings.fault("incident", "too large to publish");
        return std::nullopt;
    }
    return handed;
}

bool Intake::marked(const std::string& mark) {
    const std::lock_guard lock{lock_};
    return box_.marked(mark);
}

bool Intake::has_waiting(std::uint64_t at_least) {
    const std::lock_guard lock{lock_};
    return box_.has_waiting(at_least);
}

std::vector<Taken> Intake::take(const std::vector<Handed>& incidents, const std::optional<std::string>& mark,
                                bool together) {
    const std::lock_guard lock{lock_};
    return take_locked(incidents, mark, together);
}

tl::expected<std::vector<Taken>, TurnedAway> Intake::try_take_together(const std::vector<Handed>& incidents,
                                                                       std::uint64_t waiting_max,
                                                                       std::chrono::milliseconds patience) {
    const std::unique_lock lock{lock_, patience};
    if (!lock) return tl::unexpected{TurnedAway::busy};
    if (box_.has_waiting(waiting_max)) return tl::unexpected{TurnedAway::full};
    return take_locked(incidents, {}, true);
}

std::vector<Taken> Intake::take_locked(const std::vector<Handed>& incidents,
                                       const std::optional<std::string>& mark, bool together) {
    std::vector<Taken> taken;
    taken.reserve(incidents.size());
    try {
        box_.at_once([&] {
            for (const Handed& incident : incidents) {
                taken.push_back(take_one(incident, true));
                if (together && taken.back().became == Became::conflict) throw Undo{};
            }
            if (mark) box_.enqueue({}, mark);
        });
    } catch (const Undo&) {
        // `taken` ends with the one in conflict.
    }
    return taken;
}

std::vector<Taken> Intake::judge(const std::vector<Handed>& incidents) {
    const std::lock_guard lock{lock_};
    std::vector<Taken> taken;
    taken.reserve(incidents.size());
    for (const Handed& incident : incidents) taken.push_back(take_one(incident, false));
    return taken;
}

Taken Intake::take_one(const Handed& incident, bool really) {
    const std::uint32_t last = incident.counted ? last_version(box_, incident.reference) : 0;
    std::uint32_t version = incident.counted ? std::max(last, 1u) : incident.version;
    // Counted versions are compared by what they say besides their number, which is always 1 in `payload`.
    const std::string digest = to_hex(crypto::sha256(incident.payload));
    const auto known = before(box_, version, incident.reference);
    if (known) {
        const bool refused = box_.status(known->message).state == client::OutgoingState::refused;
        if (known->digest == digest && !refused) return {Became::known, version, known->message};
        if (incident.counted)
            version = last + 1;
        else if (!refused)
            return {Became::conflict, version, known->message};
    }
    if (!really) return {Became::queued, version, std::nullopt};
    wire::Draft draft{schemas::Kind::incident, "incidents/" + force_, incident.reference, {}, {}, {}, {}};
    draft.payload = with_version(incident, version);
    const Id16 message = box_.enqueue({
        {std::move(draft), incident.source}
    })[0];
    box_.set_fact(fact_of(version, incident.reference), digest + " " + to_hex(message));
    if (incident.counted) box_.set_fact(last_of(incident.reference), std::to_string(version));
    return {Became::queued, version, message};
}

}  // namespace flagpost::police
