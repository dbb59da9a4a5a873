/// An adapter's life on the wire: connect, publish the outbox, store deliveries, acknowledge, heartbeat, reconnect.
#pragma once

#include <functional>
#include <stdexcept>
#include <stop_token>

#include "adapters/client/box.h"
#include "adapters/client/config.h"

namespace flagpost::client {

/// The broker's log contradicts what it showed before, or is not signed by its key. The evidence is kept in the box;
/// the adapter stops, because a broker that rewrites its log must not be given anything more.
class LogAlarm : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct AgentState {
    bool connected;                // WELCOME received: before it, nothing counts as sent
    std::uint64_t unconfirmed;     // publishes in flight
    std::string last_problem;      // why the last connection ended, in words without personal data
    std::uint64_t deliveries;      // stored in this run
    std::optional<Instant> heard;  // when the broker last sent anything
};

/// A libzmq DEALER behind an in-process TLS tunnel, driving a SessionMachine over a Box. Blocks the calling thread.
class Agent {
public:
    Agent(const Config& config, Box& box, Clock& clock, Random& random);
    ~Agent();

    /// Runs until `done` says so (asked after every change and at least every 100 ms) or `stop` is requested.
    /// Reconnects with spread back-off for as long as it runs. Returns the last state. Throws LogAlarm.
    AgentState run(const std::function<bool(const AgentState&)>& done, const std::stop_token& stop);

    /// One bounded question to the broker, asked inside run's loop by `flagpost-audit` and status commands.
    /// Connects if need be; throws std::runtime_error after `patience` without an answer.
    struct Answered {
        Bytes content;
        bool more;
    };
    Result<Answered> ask(const schemas::QueryValue& query, std::chrono::milliseconds patience);
    Result<Answered> ask(schemas::QueryKind kind, std::uint8_t level, std::uint64_t from, std::uint16_t width,
                         const std::optional<Id16>& id, std::chrono::milliseconds patience);

    /// Hands in a head that a witness enrolled for this agency has cosigned elsewhere. What the broker has against it;
    /// nothing if it took it. Throws as ask does.
    std::optional<std::string> cosign(const std::string& note, std::chrono::milliseconds patience);

    /// The head of the log the broker showed last, which was found to continue the one before; nothing before the first.
    std::optional<std::string> head_shown() const;
    /// Does nothing but keep the connection, for so long.
    void idle(std::chrono::milliseconds time);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// Whether another process already runs an agent on this box (a lock file beside it). A command that finds one only
/// enqueues and waits for the daemon to deliver; otherwise it runs the agent itself.
class BoxLock {
public:
    static std::optional<BoxLock> take(const std::filesystem::path& box_file);
    BoxLock(BoxLock&&) noexcept;
    BoxLock& operator=(BoxLock&&) noexcept;
    ~BoxLock();

private:
    explicit BoxLock(int fd) : fd_{fd} {}
    int fd_;
};

/// Publishes what is waiting and returns when `ids` are all confirmed or refused: by the daemon, if one runs.
/// Throws std::runtime_error after `patience`.
void settle(const Config& config, Box& box, Clock& clock, Random& random, const std::vector<Id16>& ids,
            std::chrono::seconds patience);

}  // namespace flagpost::client
