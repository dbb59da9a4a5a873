#include "adapters/police/police.h"

#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "adapters/desk/desk.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"
#include "adapters/police/markers.h"

namespace flagpost::police {
namespace {

using nlohmann::json;

constexpr std::size_t refusals_shown_max = 1000;  // in JSON, and counted by reason
constexpr std::size_t refusals_told_max = 20;     // one by one, on a terminal

std::optional<json> refusal_of(const client::OutgoingStatus& status) {
    if (!status.refusal) return std::nullopt;
    return json{
        {"message", to_hex(status.id)           },
        {"source",  status.source               },
        {"subject", status.subject              },
        {"reason",  name(status.refusal->reason)},
        {"where",   status.refusal->where       }
    };
}

json status_of(client::Box& box) {
    const auto counts = box.counts();
    json answer{
        {"sent",      counts.waiting + counts.confirmed + counts.refused},
        {"waiting",   counts.waiting                                    },
        {"confirmed", counts.confirmed                                  },
        {"refused",   counts.refused                                    },
        {"refusals",  json::array()                                     }
    };
    answer["oldest_unconfirmed"] =
        counts.oldest_waiting ? json(desk::in_iso(*counts.oldest_waiting)) : json();
    for (const auto& status : box.refusals(refusals_shown_max))
        if (auto refusal = refusal_of(status)) answer["refusals"].push_back(std::move(*refusal));
    return answer;
}

void tell_status(const json& answer, Instant now, const std::optional<Instant>& oldest, std::ostream& out) {
    out << "Sent " << answer["sent"] << ": " << answer["confirmed"] << " confirmed, " << answer["refused"]
        << " refused, " << answer["waiting"] << " waiting.\n";
    if (oldest)
        out << "The oldest unconfirmed has waited "
            << desk::duration_in_words(std::chrono::duration_cast<std::chrono::seconds>(now - *oldest))
            << ", since " << desk::in_words(*oldest) << ".\n";
    if (answer.value("sending", true) == false) out << "No program sends them: start `feed` or `run`.\n";
    std::map<std::string, std::size_t> by_reason;
    for (const auto& refusal : answer["refusals"])
        ++by_reason[refusal["reason"].get<std::string>() + ", " + refusal["where"].get<std::string>()];
    for (const auto& [reason, count] : by_reason)
        out << "Refused for good: " << count << " for " << desk::printable(reason) << ".\n";
    std::size_t told = 0;
    for (const auto& refusal : answer["refusals"]) {
        if (++told > refusals_told_max) break;
        out << "  " << desk::printable(refusal["subject"].get<std::string>()) << "  "
            << desk::printable(refusal["source"].get<std::string>()) << "  "
            << refusal["reason"].get<std::string>() << "\n";
    }
    if (answer["refusals"].size() > refusals_told_max)
        out << "  and " << answer["refusals"].size() - refusals_told_max << " more: --json lists them.\n";
}

json lists_of(const Markers& markers, Instant now) {
    json all = json::array();
    for (const auto& list : markers.lists(now))
        all.push_back({
            {"authority", list.authority                                                          },
            {"as_of",     desk::in_iso(list.as_of)                                                },
            {"age_hours", std::chrono::duration_cast<std::chrono::hours>(now - list.as_of).count()},
            {"old",       now - list.as_of > list_age_max                                         },
            {"markers",   list.markers                                                            }
        });
    return all;
}

void tell_lists(const Markers& markers, Instant now, std::ostream& out) {
    for (const auto& list : markers.lists(now)) {
        const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - list.as_of);
        out << "Flags of " << list.authority << ": " << list.markers << " to mark; their list is "
            << desk::duration_in_words(std::max(age, std::chrono::seconds{0})) << " old"
            << (age > list_age_max
                    ? ". That is OLD: who was flagged since is not marked. Phone their duty desk"
                    : "")
            << ".\n";
    }
}

constexpr std::size_t matched_asked_max = 5000;

/// Of the incidents confirmed in these hours, how many somebody had to be told of: the broker is asked about each.
json matched_of(desk::Desk& desk, std::uint32_t hours) {
    std::vector<schemas::QueryValue> queries;
    std::set<std::string> seen;  // an incident has several versions
    for (const auto& status : desk.box().newest_confirmed(matched_asked_max)) {
        if (status.enqueued < desk.now() - std::chrono::hours{hours}) break;
        if (!seen.insert(status.subject).second) continue;
        queries.emplace_back();
        queries.back().kind = schemas::QueryKind::status;
        queries.back().reference = status.subject;
    }
    std::size_t matched = 0, nobody = 0, answered = 0, unknown = 0;
    const std::size_t asked = queries.size();
    desk.ask_each(queries, [&](const auto& answer) {
        const json story = answer ? json::parse(text(answer->content), nullptr, false) : json();
        const std::string state = story.is_object() ? story.value("state", "") : "";
        if (state == "owed" || state == "closed")
            ++matched;
        else if (state == "decided" ||
                 state == "recorded")  // recorded: nothing in it was anybody's to decide on
            ++nobody;
        else
            ++unknown;
        answered += state == "closed" ? 1 : 0;
    });
    return {
        {"hours",          hours                     },
        {"incidents",      asked                     },
        {"matched",        matched                   },
        {"matched_nobody", nobody                    },
        {"all_answered",   answered                  },
        {"not_known",      unknown                   },
        {"cut_off",        asked == matched_asked_max}
    };
}

void tell_matched(const json& matched, std::ostream& out) {
    out << "Of " << matched["incidents"] << " incidents of the last " << matched["hours"] << " hours, "
        << matched["matched"] << " concerned a child somebody had to be told of; for "
        << matched["all_answered"] << " of these everybody has answered.\n";
    if (matched["not_known"] != 0) out << "The broker said nothing of " << matched["not_known"] << ".\n";
    if (matched["cut_off"] == true) out << "There are more; only the newest were asked about.\n";
}

}  // namespace

int run(const std::filesystem::path& config) {
    const desk::StopAtSignal stop;
    desk::Desk desk{config, agency_kinds, own_settings()};
    MarkerKeeper keeper{desk.box(), markers_folder(config, desk.config())};
    desk.serve(stop.token(),
               [&](const client::AgentState& state) { keeper.turn(state.deliveries, desk.now()); });
    return 0;
}

int status(const StatusOptions& options, std::ostream& out) {
    desk::Desk desk{options.config, agency_kinds, own_settings()};
    json answer = status_of(desk.box());
    if (answer["waiting"] != 0) answer["sending"] = !client::BoxLock::take(desk.config().data).has_value();
    const Markers markers{desk.box()};
    answer["flag_lists"] = lists_of(markers, desk.now());
    if (options.matched_hours != 0) answer["matched"] = matched_of(desk, options.matched_hours);
    if (options.json) {
        desk::print_json(answer, out);
        return 0;
    }
    tell_status(answer, desk.now(), desk.box().counts().oldest_waiting, out);
    tell_lists(markers, desk.now(), out);
    if (options.matched_hours != 0) tell_matched(answer["matched"], out);
    return 0;
}

int markers(const std::filesystem::path& config, bool as_json, std::ostream& out) {
    desk::Desk desk{config, agency_kinds, own_settings()};
    Markers markers{desk.box()};
    markers.take();
    const auto folder = markers_folder(config, desk.config());
    json answer;
    if (!folder.empty()) {
        const auto written = markers.write(folder, desk.now());
        answer = {
            {"markers", written.markers},
            {"rows",    written.rows   },
            {"set",     written.set    },
            {"removed", written.removed},
            {"change",  written.change }
        };
    }
    answer["flag_lists"] = lists_of(markers, desk.now());
    if (as_json) {
        desk::print_json(answer, out);
        return 0;
    }
    tell_lists(markers, desk.now(), out);
    if (answer["flag_lists"].empty())
        out << "No authority's list has come yet: nothing is known of any address.\n";
    if (folder.empty())
        out << "The config has no `markers` folder: no file was written.\n";
    else
        out << (folder / "markers.csv").string() << ": " << answer["rows"] << " rows; " << answer["set"]
            << " markers set and " << answer["removed"] << " removed since it was written last.\n";
    return 0;
}

namespace {

void tell_story(const std::string& reference, const json& story, std::ostream& out) {
    const std::string state = story.value("state", "");
    out << desk::printable(reference) << ": " << state
        << (state == "recorded"  ? ", and it concerns nobody's flag or roll"
            : state == "decided" ? ", and nobody had to be told"
            : state == "owed"    ? ", and somebody who was told has not answered yet"
            : state == "closed"  ? ", and everybody who was told has answered"
                                 : "")
        << ".\n";
    for (const auto& event : story.value("events", json::array())) {
        out << "  " << event.value("at", "") << "  " << event.value("what", "") << "  "
            << event.value("to", "");
        if (event.contains("outcome")) out << "  " << desk::printable(event["outcome"].get<std::string>());
        out << "  (leaf " << event.value("index", std::uint64_t{0}) << ")\n";
    }
    if (story.value("more", false)) out << "  and more than can be shown.\n";
}

json report_entry(const client::Incoming& item) {
    const auto report = desk::payload_of<schemas::Report>(item);
    return {
        {"what",       schemas::EnumNameReportOf(report.what) },
        {"about",      report.about                           },
        {"notice",     report.reference                       },
        {"recipient",  report.recipient                       },
        {"to",         report.to                              },
        {"reached",    report.reached                         },
        {"owed_since", desk::iso_or_null(report.owed_since_us)},
        {"due",        desk::iso_or_null(report.due_us)       },
        {"at",         desk::iso_or_null(report.at_us)        }
    };
}

}  // namespace

int status_of_incident(const std::filesystem::path& config, const std::string& reference, bool as_json,
                       std::ostream& out) {
    desk::Desk desk{config, agency_kinds, own_settings()};
    schemas::QueryValue query;
    query.kind = schemas::QueryKind::status;
    query.reference = reference;
    const auto answer = desk.ask(std::move(query));
    if (!answer) {
        if (answer.error().reason == Reason::not_found)
            throw std::runtime_error{
                desk::printable(reference) +
                ": the broker has no incident of this reference from this force. What waits "
                "here, or was refused, `status` says"};
        throw std::runtime_error{desk::printable(reference) + ": " +
                                 std::string{name(answer.error().reason)} + ", " + answer.error().where};
    }
    const json story = json::parse(text(answer->content), nullptr, false);
    if (!story.is_object()) throw std::runtime_error{"the broker's answer is no object"};
    if (as_json)
        desk::print_json(story, out);
    else
        tell_story(reference, story, out);
    return 0;
}

int reports(const std::filesystem::path& config, bool as_json, std::ostream& out) {
    desk::Desk desk{config, agency_kinds, own_settings()};
    json all = json::array();
    for (const auto& item : desk::items_of(desk.box(), {schemas::Kind::report}, true))
        all.push_back(report_entry(item));
    if (as_json) {
        desk::print_json(all, out);
        return 0;
    }
    for (const auto& each : all) {
        out << each.value("at", "") << "  " << each.value("what", "") << "  "
            << desk::printable(each.value("about", "")) << "  " << each.value("recipient", "");
        if (!each.value("to", "").empty()) out << " -> " << each.value("to", "");
        out << "  (" << each.value("reached", "") << ")\n";
    }
    if (all.empty()) out << "No reports: nothing was late.\n";
    return 0;
}

}  // namespace flagpost::police
