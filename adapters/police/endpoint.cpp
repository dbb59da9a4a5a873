#include "adapters/police/endpoint.h"

#include <openssl/crypto.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <set>

#include "adapters/client/text.h"
#include "adapters/police/incident_rows.h"
#include "broker/crypto/digest.h"

namespace flagpost::police {
namespace {

using nlohmann::json;

Reply refusal(int status, const std::string& error, json problems = json::array()) {
    return {
        status, {{"error", error}, {"problems", std::move(problems)}},
         {                }
    };
}

json problem(std::optional<std::size_t> index, const std::string& field, const std::string& why) {
    return {
        {"index", index ? json(*index) : json()},
        {"field", field                        },
        {"why",   why                          }
    };
}

Reply come_again(const std::string& error) {
    Reply reply = refusal(503, error);
    reply.headers.emplace_back("Retry-After", std::to_string(endpoint_retry_after.count()));
    return reply;
}

/// How deep brackets lie within each other, outside texts.
bool is_too_deep(std::string_view text) {
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            if (c == '\\') ++i;
            if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > endpoint_depth_max) return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return false;
}

/// Names of media types have no case (RFC 9110, section 8.3.1).
bool is_json(const std::string& content_type) {
    std::string type{client::trimmed(std::string_view{content_type}.substr(0, content_type.find(';')))};
    std::ranges::transform(type, type.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return type == "application/json";
}

/// In a time that does not tell how much of it was right.
bool same_secret(const std::string& given, const std::string& wanted) {
    const Digest a = crypto::sha256(view(given)), b = crypto::sha256(view(wanted));
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// The incidents of a call, all or none, and what is wrong with them.
struct Read {
    std::vector<Handed> incidents;
    json problems = json::array(), notes = json::array();
};

Read read(const json& list, const std::string& force, Instant now) {
    Read all;
    std::map<std::pair<std::string, std::uint32_t>, std::size_t> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (!list[i].is_object()) {
            all.problems.push_back(problem(i, "", "should be an object"));
            continue;
        }
        desk::Findings findings;
        auto handed = handed_of(list[i], force, false, "POST /incidents", now, findings);
        if (handed) {
            const auto [first, fresh] = seen.emplace(std::pair{handed->reference, handed->version}, i);
            if (!fresh)
                findings.fault("reference",
                               "this version already stands at index " + std::to_string(first->second));
        }
        for (const auto& fault : findings.all_faults())
            all.problems.push_back(problem(i, fault.where, fault.why));
        for (const auto& note : findings.all_left_out())
            all.notes.push_back(problem(i, note.where, note.why));
        if (handed) all.incidents.push_back(std::move(*handed));
    }
    return all;
}

Reply told(const std::vector<Handed>& incidents, const std::vector<Taken>& taken, json notes) {
    Reply reply{
        200, {{"incidents", json::array()}, {"notes", std::move(notes)}},
         {                            }
    };
    for (std::size_t i = 0; i < taken.size(); ++i) {
        const bool known = taken[i].became == Became::known;
        if (!known) reply.status = 202;
        reply.body["incidents"].push_back({
            {"reference", incidents[i].reference                           },
            {"version",   taken[i].version                                 },
            {"result",    known ? "known" : "queued"                       },
            {"message",   taken[i].message ? to_hex(*taken[i].message) : ""}
        });
    }
    return reply;
}

}  // namespace

Reply too_large() {
    return refusal(
        413, "too_large",
        json::array({problem({}, "body", "is larger than " + std::to_string(endpoint_body_max) + " bytes")}));
}

Endpoint::Endpoint(Intake& intake, std::string token, std::uint64_t waiting_max)
    : intake_{intake}, token_{std::move(token)}, waiting_max_{waiting_max} {}

std::optional<Reply> Endpoint::refusal_of(const Call& head) const {
    if (!token_.empty()) {
        constexpr std::string_view scheme = "Bearer ";
        const bool bears = head.authorization.starts_with(scheme);
        if (!bears || !same_secret(head.authorization.substr(scheme.size()), token_)) {
            Reply reply = refusal(401, "unauthorised");
            reply.headers.emplace_back("WWW-Authenticate", "Bearer");
            return reply;
        }
    }
    if (head.path != "/incidents") return refusal(404, "not_found");
    if (head.method != "POST") {
        Reply reply = refusal(405, "method_not_allowed");
        reply.headers.emplace_back("Allow", "POST");
        return reply;
    }
    if (!is_json(head.content_type))
        return refusal(415, "unsupported_media_type",
                       json::array({problem({}, "Content-Type", "should be application/json")}));
    return std::nullopt;
}

Reply Endpoint::answer(const Call& call) {
    if (auto refused = refusal_of(call)) return *std::move(refused);
    if (call.body.size() > endpoint_body_max) return too_large();
    try {
        return take(call.body);
    } catch (const std::exception& error) {
        spdlog::error("an incident could not be kept: {}", error.what());
        return come_again("not_kept");
    }
}

Reply Endpoint::take(const std::string& body) {
    if (is_too_deep(body))
        return refusal(400, "malformed", json::array({problem({}, "body", "nested too deep")}));
    auto parsed = parse_json(body);
    if (!parsed) return refusal(400, "malformed", json::array({problem({}, "body", parsed.error().where)}));
    json list = std::move(*parsed);
    if (list.is_object()) list = json::array({std::move(list)});
    if (!list.is_array() || list.empty())
        return refusal(422, "invalid",
                       json::array({problem({}, "body", "should be an incident, or a list of them")}));
    if (list.size() > endpoint_incidents_max)
        return refusal(
            413, "too_large",
            json::array({problem({}, "body",
                                 "has more than " + std::to_string(endpoint_incidents_max) + " incidents")}));
    Read all = read(list, intake_.force(), intake_.now());
    if (!all.problems.empty()) {
        Reply reply = refusal(422, "invalid", std::move(all.problems));
        reply.body["notes"] = std::move(all.notes);  // a field that is missing may stand there misspelt
        return reply;
    }
    const auto taken = intake_.try_take_together(all.incidents, waiting_max_, endpoint_patience);
    if (!taken) return come_again(taken.error() == TurnedAway::full ? "full" : "busy");
    if (taken->back().became == Became::conflict)
        return refusal(409, "conflict", json::array({problem(taken->size() - 1, "version", conflict_why)}));
    return told(all.incidents, *taken, std::move(all.notes));
}

}  // namespace flagpost::police
