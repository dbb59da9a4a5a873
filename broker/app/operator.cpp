#include "broker/app/operator.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "adapters/client/agent.h"
#include "adapters/client/load.h"
#include "adapters/client/order.h"
#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/crypto/keys.h"
#include "broker/log/note.h"
#include "broker/wire/frames.h"

namespace flagpost::app {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto answer_patience = 15s;
constexpr auto load_patience = 300s;

/// Looking must not take a mailbox from a daemon that runs under the same name.
client::Config to_look(const std::filesystem::path& file) {
    auto config = client::load_config(file, {});
    config.topics.clear();
    return config;
}

/// An operator connected for one command.
class Desk {
public:
    explicit Desk(client::Config config) : config_{std::move(config)}, box_{config_.data, clock_, random_} {}

    const client::Config& config() const { return config_; }
    client::Box& box() { return box_; }
    Clock& clock() { return clock_; }
    Random& random() { return random_; }

    client::Agent::Answered ask(schemas::QueryKind kind, std::uint64_t from = 0) {
        if (!agent_) agent_.emplace(config_, box_, clock_, random_);
        auto answer = agent_->ask(kind, 0, from, limits::answer_items_max, std::nullopt, answer_patience);
        if (!answer)
            throw std::runtime_error{"the broker refused: " + std::string{name(answer.error().reason)} +
                                     ", " + answer.error().where};
        return std::move(*answer);
    }

    /// All pages of what is answered with JSON lists.
    json ask_list(schemas::QueryKind kind) {
        json all = json::array();
        for (;;) {
            const auto answer = ask(kind, all.size());
            const auto page = json::parse(text(answer.content), nullptr, false);
            if (!page.is_array()) throw std::runtime_error{"the broker's answer is no list"};
            all.insert(all.end(), page.begin(), page.end());
            if (!answer.more || page.empty()) return all;
        }
    }

private:
    SystemClock clock_;
    crypto::SystemRandom random_;
    client::Config config_;
    client::Box box_;
    std::optional<client::Agent> agent_;
};

std::string file_code(schemas::FileCode code) {
    switch (code) {
        case schemas::FileCode::all_loaded:
            return "all loaded";
        case schemas::FileCode::some_loaded:
            return "some loaded";
        case schemas::FileCode::none_loaded:
            return "none loaded";
        case schemas::FileCode::wrong_count:
            return "wrong count";
        case schemas::FileCode::sequence_gap:
            return "sequence gap";
        case schemas::FileCode::abandoned:
            return "abandoned";
        default:
            return "malformed";
    }
}

std::uint64_t next_sequence(const client::Box& box, const std::string& topic) {
    const auto last = box.fact("load-sequence/" + topic);
    return last ? std::stoull(*last) + 1 : 1;
}

/// Runs the mailbox until the result of this load is in it.
schemas::LoadResultValue await_result(Desk& desk, const Id16& load) {
    const auto until = std::chrono::steady_clock::now() + load_patience;
    const auto late = [&] { return std::chrono::steady_clock::now() >= until; };
    const auto arrived = [&] { return desk.box().find(to_hex(load)); };
    while (!arrived() && !late()) {
        if (const auto lock = client::BoxLock::take(desk.config().data)) {
            client::Agent agent{desk.config(), desk.box(), desk.clock(), desk.random()};
            agent.run([&](const client::AgentState&) { return arrived().has_value() || late(); }, {});
        } else {
            std::this_thread::sleep_for(100ms);  // a daemon has the box and will put the result there
        }
    }
    const auto item = arrived();
    if (!item) throw std::runtime_error{"the load is recorded, but its result did not come in time"};
    const auto table = wire::read_table<schemas::LoadResult>(item->payload, "load result");
    if (!table) throw std::runtime_error{"the result of the load cannot be read"};
    schemas::LoadResultValue result;
    (*table)->UnPackTo(&result);
    return result;
}

void require_confirmed(const client::Box& box, const std::vector<Id16>& ids) {
    for (const Id16& id : ids) {
        const auto status = box.status(id);
        if (status.state == client::OutgoingState::refused)
            throw std::runtime_error{
                "the broker refused the load: " + std::string{name(status.refusal->reason)} + ", " +
                status.refusal->where};
    }
}

void print_obligations(const json& open) {
    if (open.empty()) {
        std::cout << "Nothing is owed: every notice has been closed by its recipient.\n";
        return;
    }
    for (const auto& each : open)
        std::cout << each.value("due", "") << "  " << (each.value("overdue", false) ? "overdue, " : "")
                  << each.value("state", "") << "  " << each.value("recipient", "") << "  now with "
                  << each.value("with", "") << "  " << each.value("notice", "") << "\n";
    std::cout << open.size() << " open, by when they are due\n";
}

std::string mib(const json& bytes) {
    return bytes.is_number_unsigned() ? std::to_string(bytes.get<std::uint64_t>() >> 20) + " MiB" : "?";
}

/// The answer first, then what needs somebody, then what there is room for.
void print_standing(const json& standing) {
    std::cout << standing.value("says", "") << "\n";
    for (const auto& alarm : standing.value("alarms", json::array()))
        std::cout << "\n"
                  << (alarm.value("urgency", "") == "now" ? "NOW   " : "SOON  ") << alarm.value("what", "")
                  << "\n      since " << alarm.value("since", "") << ", for " << alarm.value("owner", "")
                  << ": " << alarm.value("to_do", "") << "\n";
    std::cout << "\npeers: " << standing.value("peers_connected", 0) << " of "
              << standing.value("peers_total", 0) << " connected\n";
    if (const auto disk = standing.find("disk"); disk != standing.end())
        std::cout << "disk: " << mib((*disk)["free_bytes"]) << " of " << mib((*disk)["total_bytes"])
                  << " free, kept back " << mib((*disk)["reserve_bytes"]) << "\n";
    for (const auto& volume : standing.value("volumes", json::array())) {
        std::cout << volume.value("topic", "") << ": ";
        if (volume.contains("hours"))
            std::cout << volume.value("observed", 0ULL) << " in " << volume.value("hours", 0)
                      << " hours, where about " << std::llround(volume.value("expected", 0.0))
                      << " were to be expected\n";
        else
            std::cout << "not judged, " << volume.value("not_judged", "") << " ("
                      << std::llround(volume.value("history_days", 0.0)) << " days watched)\n";
    }
    for (const auto& queue : standing.value("queues", json::array()))
        std::cout << queue.value("name", "") << ": " << queue.value("used", 0ULL) << " of "
                  << queue.value("limit", 0ULL) << "\n";
}

}  // namespace

int show_obligations(const std::filesystem::path& config, bool as_json) {
    Desk desk{to_look(config)};
    json open = desk.ask_list(schemas::QueryKind::obligations);
    if (as_json) {
        std::cout << open.dump() << "\n";
        return 0;
    }
    std::stable_sort(open.begin(), open.end(),
                     [](const json& a, const json& b) { return a.value("due", "") < b.value("due", ""); });
    print_obligations(open);
    return 0;
}

int show_status(const std::filesystem::path& config, bool as_json) {
    Desk desk{to_look(config)};
    const std::string note{text(desk.ask(schemas::QueryKind::checkpoint).content)};
    const auto signed_note = log::SignedNote::parse(note);
    const auto head =
        signed_note ? log::Checkpoint::parse(signed_note->text) : tl::unexpected{signed_note.error()};
    if (!head) throw std::runtime_error{"the broker's head cannot be read"};
    json status = json::parse(text(desk.ask(schemas::QueryKind::policies).content), nullptr, false);
    if (!status.is_object()) throw std::runtime_error{"the broker's answer is no object"};
    for (auto& policy : status)
        if (policy.is_string()) policy = to_hex(crypto::sha256(view(policy.get_ref<const std::string&>())));
    status["log"] = head->origin;
    status["log_size"] = head->size;
    status["root"] = to_base64(head->root);
    status["cosignatures"] = signed_note->signatures.size() - 1;
    const auto witnesses = json::parse(text(desk.ask(schemas::QueryKind::witnesses).content), nullptr, false);
    if (!witnesses.is_object()) throw std::runtime_error{"the broker's answer about witnesses is no object"};
    status["witness_quorum"] = witnesses.value("quorum", 0);
    status["cosigned_size"] = witnesses.value("cosigned", std::uint64_t{0});
    status["cosigned_by"] = witnesses.value("by", json::array());
    status["waiting_for_quorum_s"] = witnesses.value("waiting_s", std::uint64_t{0});
    status["standing"] = json::parse(text(desk.ask(schemas::QueryKind::standing).content), nullptr, false);
    if (!status["standing"].is_object()) throw std::runtime_error{"the broker's answer is no object"};
    status["open_obligations"] = desk.ask_list(schemas::QueryKind::obligations).size();
    if (as_json) {
        std::cout << status.dump() << "\n";
        return 0;
    }
    print_standing(status["standing"]);
    status.erase("standing");
    for (const auto& [key, value] : status.items())
        std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump()) << "\n";
    return 0;
}

int show_dead_letters(const std::filesystem::path& config, bool as_json) {
    Desk desk{to_look(config)};
    const json dead = desk.ask_list(schemas::QueryKind::dead_letters);
    if (as_json) {
        std::cout << dead.dump() << "\n";
        return 0;
    }
    for (const auto& each : dead)
        std::cout << each.value("since", "") << "  " << each.value("topic", "") << "#"
                  << each.value("number", std::uint64_t{0}) << "  " << each.value("reason", "") << " in "
                  << each.value("attempts", 0U) << " attempts  for " << each.value("owner", "") << "  "
                  << each.value("notice", "") << "\n";
    if (dead.empty()) std::cout << "No dead letters.\n";
    return 0;
}

int act(const OperatorCall& call) {
    Desk desk{client::load_config(call.config, {})};
    schemas::OperatorActionValue action;
    action.does = call.does;
    action.topic = call.topic;
    action.number = call.number;
    action.by = call.by;
    action.reason = call.reason;
    wire::Draft draft{schemas::Kind::operator_action,
                      "operations/" + std::string{desk.config().agency.code()},
                      {},
                      {},
                      {},
                      {},
                      wire::pack<schemas::OperatorAction>(action)};
    const auto ids = desk.box().enqueue({
        {std::move(draft), "command"}
    });
    client::settle(desk.config(), desk.box(), desk.clock(), desk.random(), ids, answer_patience);
    const auto status = desk.box().status(ids.front());
    if (status.state == client::OutgoingState::refused)
        throw std::runtime_error{"the broker refused: " + std::string{name(status.refusal->reason)} + ", " +
                                 status.refusal->where};
    std::cout << "Recorded as leaf " << status.index.value_or(0) << ".\n";
    return 0;
}

int order(const std::filesystem::path& config, const schemas::RecordOrderValue& wanted) {
    Desk desk{client::load_config(config, {})};
    const auto leaf = client::place_order(desk.config(), desk.box(), desk.clock(), desk.random(), wanted);
    std::cout << "Recorded as leaf " << leaf << ".\n";
    return 0;
}

int load_reference(const std::filesystem::path& config, const std::filesystem::path& file,
                   std::optional<ReferenceKind> as) {
    auto reference = read_reference(file, as);
    if (!reference)
        throw std::runtime_error{file.string() + ": " + std::string{name(reference.error().reason)} + ", " +
                                 reference.error().where};
    for (const auto& bad : reference->rejected)
        std::cerr << file.string() << ":" << bad.line << ": " << bad.why << "\n";
    if (reference->records.empty()) throw std::runtime_error{file.string() + ": no record can be used"};

    Desk desk{client::load_config(config, {})};
    const Id16 id = make_uuid7(desk.clock().now(), desk.random());
    const std::uint64_t sequence = next_sequence(desk.box(), reference->topic);
    const std::size_t count = reference->records.size();
    const client::Load load{reference->of,
                            schemas::LoadMode::full,
                            sequence,
                            {},
                            reference->topic,
                            file.filename().string(),
                            std::move(reference->records)};
    const auto ids = desk.box().enqueue(client::drafts_of(load, id));
    desk.box().set_fact("load-sequence/" + reference->topic, std::to_string(sequence));
    client::settle(desk.config(), desk.box(), desk.clock(), desk.random(), ids, load_patience);
    require_confirmed(desk.box(), ids);

    const auto result = await_result(desk, id);
    for (const auto& each : result.results)
        std::cerr << "record " << each->number << ": " << each->where << "\n";
    std::cout << name(reference->kind) << ": " << file_code(result.code) << "; " << result.accepted << " of "
              << count << " records accepted, " << result.rejected << " rejected by the broker, "
              << reference->rejected.size() << " rows could not be used\n";
    return result.code == schemas::FileCode::all_loaded && reference->rejected.empty() ? 0 : 1;
}

}  // namespace flagpost::app
