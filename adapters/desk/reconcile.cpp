#include "adapters/desk/reconcile.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "adapters/client/session_machine.h"
#include "adapters/desk/fields.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"

namespace flagpost::desk {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds page_patience{30};
// The broker's clock and ours: what was enqueued just before an end may be recorded just behind it.
constexpr std::chrono::hours slack{24};

struct Options {
    std::string from, to;
    bool fetch = false;
};

struct Held {
    std::map<std::string, json> messages, notices;  // by id in hex
};

/// "2026-11-01" (its start in UTC) or an instant with an offset.
Instant instant_of(const std::string& text, const char* option) {
    if (const auto instant = parse_instant(is_date(text) ? text + "T00:00:00Z" : text)) return *instant;
    throw std::runtime_error{std::string{option} + ": should be 2026-11-01 or 2026-11-01T08:00:00Z"};
}

/// Asks page by page over one connection, which leaves the mailbox to a daemon of the same name.
class Asking {
public:
    explicit Asking(Desk& desk) : config_{desk.config()} {
        config_.topics.clear();
        agent_.emplace(config_, desk.box(), clock_, desk.random());
    }

    Held held(Instant from, Instant to) {
        Held all;
        schemas::QueryValue query;
        query.kind = schemas::QueryKind::status;
        query.scope = std::to_string(to_us(from)) + "/" + std::to_string(to_us(to));
        for (;;) {
            const auto answer = agent_->ask(query, page_patience);
            if (!answer)
                throw std::runtime_error{"the broker refused: " + std::string{name(answer.error().reason)} +
                                         ", " + answer.error().where};
            const json page = json::parse(text(answer->content), nullptr, false);
            if (!page.is_object()) throw std::runtime_error{"the broker's answer is no object"};
            for (const auto& each : page.value("messages", json::array()))
                all.messages[each.value("id", "")] = each;
            for (const auto& each : page.value("notices", json::array()))
                all.notices[each.value("notice", "")] = each;
            if (!answer->more) return all;
            const auto next = page.value("next", std::uint64_t{0});
            if (next <= query.from) throw std::runtime_error{"the broker's pages do not go on"};
            query.from = next;
        }
    }

    /// Whether the broker has a message, wherever in time.
    bool has(const Id16& id) {
        schemas::QueryValue query;
        query.kind = schemas::QueryKind::status;
        query.id.assign(id.begin(), id.end());
        const auto answer = agent_->ask(query, page_patience);
        if (!answer && answer.error().reason != Reason::not_found)
            throw std::runtime_error{"the broker refused: " + answer.error().where};
        return answer.has_value();
    }

    /// A notice that was issued to us and is still owed, as it was delivered; nothing if it was closed since, or another topic's.
    std::optional<client::Incoming> delivered(const Id16& notice, const std::string& topic) {
        schemas::QueryValue query;
        query.kind = schemas::QueryKind::delivered;
        query.id.assign(notice.begin(), notice.end());
        query.reason = "not_in_our_data_file";
        const auto answer = agent_->ask(query, page_patience);
        if (!answer && answer.error().reason == Reason::not_found) return std::nullopt;
        if (!answer) throw std::runtime_error{"the broker refused: " + answer.error().where};
        const auto frame = wire::read_frame(answer->content);
        const auto* deliver = frame ? (*frame)->body_as_Deliver() : nullptr;
        auto item =
            deliver != nullptr ? client::incoming_of(*deliver, clock_.now()) : refuse(Reason::malformed, "");
        if (!item || item->topic != topic) throw std::runtime_error{"the broker's answer is no delivery"};
        return std::move(*item);
    }

private:
    client::Config config_;
    SystemClock clock_;
    std::optional<client::Agent> agent_;
};

class Comparison {
public:
    Comparison(Desk& desk, Instant from, Instant to) : desk_{desk}, from_{from}, to_{to} {}

    void outbox(const Held& held, Asking& asking) {
        std::map<std::string, client::OutgoingStatus> ours;
        for (auto& status : desk_.box().enqueued_in(from_ - slack, to_ + slack))
            ours.emplace(to_hex(status.id), status);
        for (const auto& [id, status] : ours) {
            const auto there = held.messages.find(id);
            if (there != held.messages.end()) {
                if (const auto why = difference(status, there->second); why.empty())
                    ++same_;
                else
                    add("different", id, status.subject, why);
                continue;
            }
            if (status.enqueued < from_ || status.enqueued >= to_) continue;
            if (status.state == client::OutgoingState::waiting) ++waiting_;
            if (status.state == client::OutgoingState::refused) ++refused_;
            if (status.state != client::OutgoingState::confirmed) continue;
            if (asking.has(status.id))
                ++same_;  // recorded long after it was put into the outbox
            else
                add("sent, but not there", id, status.subject,
                    "confirmed as leaf " + std::to_string(*status.index));
        }
        for (const auto& [id, there] : held.messages)
            if (!ours.contains(id) && !was_ours(id))
                add("there, but not sent from here", id, there.value("reference", there.value("topic", "")),
                    "leaf " + there.value("index", json{}).dump());
    }

    /// `fetch`: what is owed to us and not here is taken in again.
    void inbox(const Held& held, Asking& asking, bool fetch) {
        for (const auto& [notice, there] : held.notices) {
            const auto topic = there.value("topic", "");
            const bool read_here =
                std::ranges::find(desk_.config().topics, topic) != desk_.config().topics.end();
            if (desk_.box().find(notice) || !read_here) {
                ++same_;
                continue;
            }
            if (const auto item = fetch ? asking.delivered(id_of(notice), topic) : std::nullopt) {
                desk_.box().receive({*item});
                ++fetched_;
                continue;
            }
            add("issued to us, but not in the inbox", notice, topic,
                "leaf " + there.value("index", json{}).dump() + (fetch ? ", and closed since" : ""));
        }
    }

    int tell(bool as_json, std::ostream& out) const {
        if (as_json)
            print_json(
                json{
                    {"from",        in_iso(from_)},
                    {"to",          in_iso(to_)  },
                    {"same",        same_        },
                    {"waiting",     waiting_     },
                    {"refused",     refused_     },
                    {"fetched",     fetched_     },
                    {"differences", differences_ }
            },
                out);
        else {
            for (const auto& each : differences_)
                out << each.value("what", "") << ": " << printable(each.value("subject", "")) << " ("
                    << each.value("id", "") << "), " << each.value("detail", "") << "\n";
            if (fetched_ > 0) out << fetched_ << " taken into the inbox again.\n";
            out << same_ << " the same, " << differences_.size() << " different; " << waiting_
                << " not sent yet, " << refused_ << " refused (`status` says why).\n";
        }
        return differences_.empty() ? 0 : 1;
    }

private:
    static std::optional<Id16> id_in(const std::string& hex) {
        const auto bytes = from_hex(hex);
        return bytes ? exactly<16>(*bytes) : std::nullopt;
    }
    static Id16 id_of(const std::string& hex) {
        const auto id = id_in(hex);
        if (!id) throw std::runtime_error{"the broker's answer names what is no notice"};
        return *id;
    }

    /// Empty if there is none.
    static std::string difference(const client::OutgoingStatus& status, const json& there) {
        const auto index = there.value("index", std::uint64_t{0});
        const std::string at = "there as leaf " + std::to_string(index);
        if (status.state == client::OutgoingState::refused) return "refused here, " + at;
        if (status.state == client::OutgoingState::confirmed && status.index != index)
            return "confirmed as leaf " + std::to_string(status.index.value_or(0)) + ", " + at;
        if (there.contains("reference") && there["reference"] != status.subject)
            return at + " with another reference";
        return {};
    }

    /// Enqueued long before the period.
    bool was_ours(const std::string& hex) {
        const auto id = id_in(hex);
        if (!id) return false;
        try {
            (void)desk_.box().status(*id);
            return true;
        } catch (const std::out_of_range&) {
            return false;
        }
    }

    void add(const char* what, const std::string& id, const std::string& subject, const std::string& detail) {
        differences_.push_back({
            {"what",    what   },
            {"id",      id     },
            {"subject", subject},
            {"detail",  detail }
        });
    }

    Desk& desk_;
    Instant from_, to_;
    std::size_t same_ = 0, waiting_ = 0, refused_ = 0, fetched_ = 0;
    json differences_ = json::array();
};

int reconcile(Desk& desk, const Options& options, bool as_json, std::ostream& out) {
    const Instant from = instant_of(options.from, "--from");
    const Instant to = options.to.empty() ? desk.now() : instant_of(options.to, "--to");
    if (from >= to) throw std::runtime_error{"--from: should be before --to"};
    Asking asking{desk};
    const auto held = asking.held(from, to);
    Comparison comparison{desk, from, to};
    comparison.outbox(held, asking);
    comparison.inbox(held, asking, options.fetch);
    return comparison.tell(as_json, out);
}

}  // namespace

void add_reconcile_command(Program& program, const std::vector<std::string>& kinds,
                           const std::vector<std::string>& own_settings) {
    const auto options = std::make_shared<Options>();
    auto* command = program.command(
        &program.app(), "reconcile",
        "Ask the broker for its list of what this agency sent in a period, and of what was sent to it, and "
        "compare with "
        "this\nprogram's own data: what is only here, only there, or different. Ends with 1 if anything is.",
        [&program, kinds, own_settings, options] {
            Desk desk{program.config(), kinds, own_settings};
            return reconcile(desk, *options, program.json(), std::cout);
        });
    command->add_option("--from", options->from, "2026-11-01 (UTC) or 2026-11-01T08:00:00Z")->required();
    command->add_option("--to", options->to, "likewise, exclusive (default: now)");
    command->add_flag("--fetch", options->fetch,
                      "take into the inbox again what was issued to us, is not in it and is still owed");
}

}  // namespace flagpost::desk
