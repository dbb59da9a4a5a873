#include "adapters/desk/desk.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>

namespace flagpost::desk {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds look_again{100};
constexpr std::chrono::seconds answer_patience{15};
constexpr milliseconds look_at_box{250};  // how often `done` reads the data file while nothing arrives

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void require_kind(const AgencyId& agency, const std::vector<std::string>& kinds,
                  const std::filesystem::path& config_file) {
    if (std::ranges::find(kinds, agency.kind()) != kinds.end()) return;
    std::string wanted;
    for (const auto& kind : kinds) wanted += (wanted.empty() ? "" : " or ") + kind;
    throw std::runtime_error{config_file.string() + ": the certificate is " + agency.text() +
                             "'s, but must be one of " + wanted};
}

/// Says on stderr what changed since it was last asked; never what was sent or received.
class Watch {
public:
    void see(const client::AgentState& state) {
        if (state.connected != connected_) {
            connected_ = state.connected;
            if (connected_)
                spdlog::info("connected to the broker");
            else
                spdlog::warn("no connection to the broker: {}", state.last_problem);
        } else if (!state.connected && state.last_problem != problem_) {
            spdlog::warn("no connection to the broker: {}", state.last_problem);
        }
        problem_ = state.last_problem;
        if (state.deliveries != deliveries_) spdlog::info("{} received so far", state.deliveries);
        deliveries_ = state.deliveries;
    }

private:
    bool connected_ = false;
    std::string problem_;
    std::uint64_t deliveries_ = 0;
};

client::Config checked(const std::filesystem::path& config_file, const std::vector<std::string>& kinds,
                       const std::vector<std::string>& own_settings) {
    auto config = client::load_config(config_file, own_settings);
    require_kind(config.agency, kinds, config_file);
    return config;
}

}  // namespace

StopAtSignal::StopAtSignal() {
    const sigset_t set = stop_signals();
    if (pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) throw std::runtime_error{"signals cannot be blocked"};
    watcher_ = std::jthread{[this](const std::stop_token& over) {
        const sigset_t waited_for = stop_signals();
        const timespec patience{0, 200'000'000};
        while (!over.stop_requested())
            if (sigtimedwait(&waited_for, nullptr, &patience) > 0) source_.request_stop();
    }};
}

Desk::Desk(const std::filesystem::path& config_file, const std::vector<std::string>& kinds,
           const std::vector<std::string>& own_settings)
    : config_{checked(config_file, kinds, own_settings)}, box_{config_.data, clock_, random_} {}

void Desk::serve(const std::stop_token& stop, const Turn& turn) {
    if (!try_serve(stop, turn))
        throw std::runtime_error{config_.data.string() + ": another program already serves it"};
}

bool Desk::try_serve(const std::stop_token& stop, const Turn& turn) {
    const auto lock = client::BoxLock::take(config_.data);
    if (!lock) return false;
    client::Agent agent{config_, box_, clock_, random_};
    Watch watch;
    const auto state = agent.run(
        [&](const client::AgentState& now) {
            watch.see(now);
            if (turn) turn(now);
            return false;
        },
        stop);
    last_problem_ = state.last_problem;
    return true;
}

bool Desk::reach(const std::function<bool()>& done, milliseconds patience) {
    const auto until = Steady::now() + patience;
    while (!done()) {
        if (Steady::now() >= until) return false;
        const auto lock = client::BoxLock::take(config_.data);
        if (!lock) {
            std::this_thread::sleep_for(look_again);  // the daemon works on it, or ends and frees the box
            continue;
        }
        client::Agent agent{config_, box_, clock_, random_};
        auto look = Steady::now();
        std::uint64_t unconfirmed = 0, deliveries = 0;
        bool over = false;
        const auto state = agent.run(
            [&](const client::AgentState& now) {
                const bool changed = now.unconfirmed != unconfirmed || now.deliveries != deliveries;
                unconfirmed = now.unconfirmed;
                deliveries = now.deliveries;
                if (!changed && Steady::now() < look) return false;
                look = Steady::now() + look_at_box;
                over = done() || Steady::now() >= until;
                return over;
            },
            {});
        last_problem_ = state.last_problem;
    }
    return true;
}

Result<client::Agent::Answered> Desk::ask(schemas::QueryValue query) {
    std::optional<Result<client::Agent::Answered>> answer;
    std::vector<schemas::QueryValue> queries;
    queries.push_back(std::move(query));
    ask_each(queries, [&](const auto& one) { answer = one; });
    return *answer;
}

void Desk::ask_each(const std::vector<schemas::QueryValue>& queries,
                    const std::function<void(const Result<client::Agent::Answered>&)>& use) {
    auto asking = config_;
    asking.topics.clear();
    client::Agent agent{asking, box_, clock_, random_};
    for (const auto& query : queries) use(agent.ask(query, answer_patience));
}

bool Desk::send_now(milliseconds patience) {
    const auto nothing_waits = [this] { return box_.counts().waiting == 0; };
    if (nothing_waits()) return true;
    {
        const auto lock = client::BoxLock::take(config_.data);
        if (!lock) return true;
    }
    return reach(nothing_waits, patience);
}

}  // namespace flagpost::desk
