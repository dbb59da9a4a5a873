/// What every agency program has in hand: its config, its box, the clock, and ways to reach the broker.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "adapters/client/agent.h"
#include "broker/crypto/keys.h"

namespace flagpost::desk {

/// Requests a stop at SIGINT or SIGTERM, for as long as it lives. Make it before any other thread: the signals are
/// blocked in the thread that makes it and in all that thread starts.
class StopAtSignal {
public:
    StopAtSignal();
    std::stop_token token() const { return source_.get_token(); }

private:
    std::stop_source source_;
    std::jthread watcher_;
};

class Desk {
public:
    /// Throws std::runtime_error for a bad config file, or a certificate that is none of `kinds`.
    /// `own_settings` are the role's own, found in config().extra.
    Desk(const std::filesystem::path& config_file, const std::vector<std::string>& kinds,
         const std::vector<std::string>& own_settings = {});

    const client::Config& config() const { return config_; }
    log::VerifierKey log_key() const { return client::read_vkey(config_.log_vkey); }
    const AgencyId& agency() const { return config_.agency; }
    client::Box& box() { return box_; }
    Instant now() { return clock_.now(); }
    Random& random() { return random_; }

    /// Receives and sends until a stop is requested; says on stderr when the connection comes and goes. False at once if
    /// another program already does so for this data file. `turn` is called after every change and at least every 100 ms.
    using Turn = std::function<void(const client::AgentState&)>;
    bool try_serve(const std::stop_token& stop, const Turn& turn = {});
    /// The same; throws std::runtime_error if another program already does so.
    void serve(const std::stop_token& stop, const Turn& turn = {});

    /// Sends and receives until `done`, through the daemon if one runs on this data file. False after `patience`.
    bool reach(const std::function<bool()>& done, std::chrono::milliseconds patience);

    /// Asks the broker over a connection of its own, which leaves the mailbox to a daemon of the same name. Throws
    /// std::runtime_error if it does not answer in time.
    Result<client::Agent::Answered> ask(schemas::QueryValue query);
    /// The same for several questions over one connection; `use` is given each answer, in order.
    void ask_each(const std::vector<schemas::QueryValue>& queries,
                  const std::function<void(const Result<client::Agent::Answered>&)>& use);

    /// Gives what waits in the outbox a moment to leave. Whether it has left, or a daemon will see to it.
    bool send_now(std::chrono::milliseconds patience);

    /// Why the broker could not be reached by the last reach() or serve(); may be empty.
    const std::string& last_problem() const { return last_problem_; }

private:
    client::Config config_;
    SystemClock clock_;
    crypto::SystemRandom random_;
    client::Box box_;
    std::string last_problem_;
};

}  // namespace flagpost::desk
