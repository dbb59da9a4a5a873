#include "adapters/police/police.h"

#include <spdlog/spdlog.h>

#include <future>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "adapters/desk/desk.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"
#include "adapters/police/spool.h"

namespace flagpost::police {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds scan_interval{200};
constexpr std::size_t refusals_shown_max = 1000;
const std::vector<std::string> kinds{"police"};

struct Totals {
    std::size_t files = 0, published = 0, rejected = 0;
};

void tell_log(const FileReport& report) {
    if (report.published_before)
        spdlog::warn("{}: the same content was published before; nothing was sent", report.name);
    else
        spdlog::info("{}: {} published, {} rejected", report.name, report.published, report.rejected);
}

/// The agent on a thread of its own, with a box of its own, so that a large file does not hold up the session. What ends
/// it before the time is thrown from check().
class Sender {
public:
    explicit Sender(const std::filesystem::path& config)
        : thread_{[this, config](const std::stop_token& stop) { run(config, stop); }} {}

    void check() {
        if (ended_.wait_for(std::chrono::seconds{0}) == std::future_status::ready) ended_.get();
    }

private:
    void run(const std::filesystem::path& config, const std::stop_token& stop) {
        try {
            desk::Desk desk{config, kinds};
            // While a daemon serves the data file, it sends; when it ends, this thread takes over.
            while (!stop.stop_requested() && !desk.try_serve(stop))
                std::this_thread::sleep_for(scan_interval);
            promise_.set_value();
        } catch (...) {
            promise_.set_exception(std::current_exception());
        }
    }

    std::promise<void> promise_;
    std::future<void> ended_ = promise_.get_future();
    std::jthread thread_;
};

json report_of(const Totals& totals, const client::Box::Counts& counts) {
    return {
        {"files",     totals.files    },
        {"published", totals.published},
        {"rejected",  totals.rejected },
        {"waiting",   counts.waiting  },
        {"confirmed", counts.confirmed},
        {"refused",   counts.refused  }
    };
}

void tell(const Totals& totals, const client::Box::Counts& counts, const std::filesystem::path& spool,
          std::ostream& out) {
    out << totals.files << " files: " << totals.published << " incidents published, " << totals.rejected
        << " rows rejected" << (totals.rejected == 0 ? "" : " (see " + (spool / "rejects").string() + ")")
        << ".\n"
        << "In all so far: " << counts.confirmed << " confirmed, " << counts.refused << " refused, "
        << counts.waiting << " waiting.\n";
}

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
    for (const auto& refusal : answer["refusals"])
        out << "Refused: " << desk::printable(refusal["source"].get<std::string>()) << " ("
            << desk::printable(refusal["subject"].get<std::string>())
            << "): " << refusal["reason"].get<std::string>() << ", "
            << desk::printable(refusal["where"].get<std::string>()) << "\n";
}

}  // namespace

int feed(const FeedOptions& options, std::ostream& out) {
    const desk::StopAtSignal stop;
    desk::Desk desk{options.config, kinds};
    Spool spool{options.spool, std::string{desk.agency().code()}};
    Sender sender{options.config};
    Totals totals;
    const auto refused_before = desk.box().counts().refused;
    while (!stop.token().stop_requested()) {
        sender.check();
        if (const auto report = spool.next(desk.box())) {
            tell_log(*report);
            ++totals.files;
            totals.published += report->published;
            totals.rejected += report->rejected;
            continue;
        }
        if (options.once && desk.box().counts().waiting == 0) break;
        std::this_thread::sleep_for(scan_interval);
    }
    const auto counts = desk.box().counts();
    if (options.json)
        desk::print_json(report_of(totals, counts), out);
    else
        tell(totals, counts, options.spool, out);
    const auto refused = counts.refused - refused_before;
    if (refused != 0)
        spdlog::error("{} incidents were refused by the broker and will not be sent: see status", refused);
    return options.once && counts.waiting + refused != 0 ? 1 : 0;
}

int run(const std::filesystem::path& config) {
    const desk::StopAtSignal stop;
    desk::Desk desk{config, kinds};
    desk.serve(stop.token());
    return 0;
}

int status(const std::filesystem::path& config, bool as_json, std::ostream& out) {
    desk::Desk desk{config, kinds};
    const json answer = status_of(desk.box());
    if (as_json)
        desk::print_json(answer, out);
    else
        tell_status(answer, desk.now(), desk.box().counts().oldest_waiting, out);
    return 0;
}

namespace {

void tell_story(const std::string& reference, const json& story, std::ostream& out) {
    out << desk::printable(reference) << ": " << story.value("state", "") << ".\n";
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
    desk::Desk desk{config, kinds};
    schemas::QueryValue query;
    query.kind = schemas::QueryKind::status;
    query.reference = reference;
    const auto answer = desk.ask(std::move(query));
    if (!answer) {
        out << desk::printable(reference) << ": " << name(answer.error().reason) << ", "
            << answer.error().where << "\n";
        return 1;
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
    desk::Desk desk{config, kinds};
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
