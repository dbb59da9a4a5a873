#include "adapters/client/agent.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <zmq.hpp>

#include "adapters/client/backoff.h"
#include "adapters/client/new_log_key.h"
#include "adapters/client/session_machine.h"
#include "adapters/client/tunnel.h"

namespace flagpost::client {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr auto software = "flagpost-client/" FLAGPOST_VERSION;

constexpr milliseconds look_again{100};          // at the outbox and at `done`, when nothing else happens
constexpr milliseconds last_words{500};          // for a goodbye to leave
constexpr milliseconds head_patience{5'000};     // for a head that covers what was confirmed
constexpr milliseconds straggler_wait{50};       // for frames read before the connection ended
constexpr std::size_t frames_at_once_max = 256;  // read before what they say is made durable
constexpr int socket_queue_max = 8192;           // above the publish window and all credit together

/// The witness key under the name its public half was enrolled with; nothing where an agency is no witness.
std::optional<Witness> read_witness(const std::filesystem::path& key_file) {
    if (!std::filesystem::exists(key_file)) return std::nullopt;
    auto vkey_file = key_file;
    const auto vkey = read_vkey(vkey_file.replace_extension(".vkey"));
    return Witness{vkey.name(), crypto::NoteKey::load(key_file)};
}

/// One connection: the tunnel, the DEALER through it, and the machine that decides what is said.
struct Connection {
    Connection(zmq::context_t& context, SSL_CTX* tls, const Config& config, SessionSettings settings,
               const crypto::OriginKey& origin, Instant wall)
        : tunnel{context, tls, {config.broker_host, config.broker_port, config.partnership}},
          dealer{context, zmq::socket_type::dealer},
          machine{std::move(settings), origin, wall},
          opened_wall{wall} {
        dealer.set(zmq::sockopt::linger, 0);
        dealer.set(zmq::sockopt::reconnect_ivl, -1);  // a new connection is a new session
        dealer.set(zmq::sockopt::sndhwm, socket_queue_max);
        dealer.set(zmq::sockopt::rcvhwm, socket_queue_max);
        dealer.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(limits::frame_size_max));
        dealer.connect(tunnel.endpoint());
    }

    Tunnel tunnel;
    zmq::socket_t dealer;
    SessionMachine machine;
    std::optional<Id16> offered;  // the message of the outbox handed to the machine last

    /// What the machine goes by. Not the wall clock: set back, it would stop the timers that notice silence, and set
    /// forward it would make a living connection look silent.
    Instant now() const {
        return opened_wall + std::chrono::duration_cast<Instant::duration>(Steady::now() - opened);
    }
    Instant opened_wall;
    Steady::time_point opened = Steady::now();
};

}  // namespace

class Agent::Impl {
public:
    Impl(const Config& config, Box& box, Clock& clock, Random& random)
        : config_{config},
          box_{box},
          clock_{clock},
          backoff_{random},
          tls_{crypto::make_client_context(config.tls)},
          origin_{crypto::OriginKey::load(config.origin_key)},
          log_key_{read_vkey(config.log_vkey)},
          witness_{read_witness(config.witness_key)} {}

    AgentState run(const std::function<bool(const AgentState&)>& done, const std::stop_token& stop) {
        while (!stop.stop_requested() && !done(state())) step(look_again);
        await_covering_head();
        close();
        return state();
    }

    Result<Agent::Answered> ask(const schemas::QueryValue& query, milliseconds patience) {
        if (auto answer = answer_by(Steady::now() + patience, query)) return *std::move(answer);
        throw std::runtime_error{"the broker did not answer in time" +
                                 (problem_.empty() ? "" : ": " + problem_)};
    }

    /// Nothing if it does not come in time.
    std::optional<Result<Agent::Answered>> answer_by(Steady::time_point until,
                                                     const schemas::QueryValue& query) {
        std::optional<std::uint32_t> request;
        while (Steady::now() < until) {
            if (connection_ && connection_->machine.welcomed() && !request) {
                auto [actions, number] = connection_->machine.query(query);
                request = number;
                perform(std::move(actions));
            }
            step(look_again);
            if (!connection_) request.reset();  // the question went with the connection: ask again
            if (request && answer_ && answer_->request == *request) {
                auto answer = std::move(answer_->answer);
                answer_.reset();
                if (!answer) return Result<Agent::Answered>{tl::unexpected{answer.error()}};
                return Agent::Answered{std::move(answer->content), answer->more};
            }
        }
        return std::nullopt;
    }

    /// A Confirm is not signed; the head that covers it is, and is what the broker is held to from then on. Who stays
    /// connected is shown one before long; who ends now asks for it, and if it does not come, at the end of the next run. Likewise the proof that the
    /// log of that head holds what was confirmed.
    void await_covering_head() {
        const auto confirmed = box_.newest_confirmed(1);
        if (!connection_ || !connection_->machine.welcomed() || confirmed.empty()) return;
        schemas::QueryValue query;
        query.kind = schemas::QueryKind::checkpoint;
        query.from = confirmed.front().index.value_or(0) + 1;
        const auto until = Steady::now() + head_patience;
        for (; !covered(query.from); step(look_again)) {
            const auto answer = answer_by(until, query);
            const bool may_come = answer && (*answer || answer->error().reason == Reason::not_found);
            if (may_come && Steady::now() < until) continue;
            std::cerr << "confirmed, but no signed head of the log covers it yet: the next run asks again\n";
            return;
        }
        while (connection_ && connection_->machine.owed_proof() && Steady::now() < until) step(look_again);
        if (!connection_ || connection_->machine.owed_proof())
            std::cerr << "confirmed, but not proven to be in the log yet: the next run asks again\n";
    }

    /// Whether the head remembered is of so many entries.
    bool covered(std::uint64_t entries) const {
        const auto head = log::open_checkpoint(box_.fact(checkpoint_fact).value_or(""), log_key_);
        return head && head->size >= entries;
    }

    std::optional<std::string> cosign(const std::string& note, milliseconds patience) {
        const auto until = Steady::now() + patience;
        while (!(connection_ && connection_->machine.welcomed()) && Steady::now() < until) step(look_again);
        problem_.clear();
        if (connection_) perform(connection_->machine.cosign(note));
        // Taken, it is not answered; but a refusal comes before the answer to the next question.
        schemas::QueryValue next;
        next.kind = schemas::QueryKind::checkpoint;
        if (auto answer = ask(next, patience); !answer) return answer.error().where;
        return problem_.empty() ? std::nullopt : std::optional{problem_};
    }

    std::optional<std::string> head_shown() const { return box_.fact(checkpoint_fact); }

    void idle(milliseconds time) {
        for (const auto until = Steady::now() + time; Steady::now() < until;) step(look_again);
    }

private:
    AgentState state() const {
        return {connection_ && connection_->machine.welcomed(),
                connection_ ? connection_->machine.unconfirmed() : 0, problem_, deliveries_, heard_};
    }

    /// Everything that can be done now, after waiting for it no longer than `patience`.
    void step(milliseconds patience) {
        if (!connection_ && !connect(patience)) return;
        wait(patience);
        read();
        if (connection_) perform(connection_->machine.tick(connection_->now()));
        if (connection_) settle_durably();
        if (connection_) offer();
    }

    bool connect(milliseconds patience) {
        const auto left = std::chrono::ceil<milliseconds>(next_attempt_ - Steady::now());
        if (left.count() > 0) {
            std::this_thread::sleep_for(std::min(left, patience));
            return false;
        }
        SessionSettings settings{software,
                                 config_.durable,
                                 config_.topics,
                                 log_key_,
                                 box_.fact(checkpoint_fact),
                                 witness_ ? &*witness_ : nullptr,
                                 Promise::parse(box_.fact(confirm_fact).value_or(""))};
        connection_.emplace(context_, tls_.get(), config_, std::move(settings), origin_, clock_.now());
        perform(connection_->machine.start(connection_->now()));
        return connection_.has_value();
    }

    /// Whether there is something to receive now, or within `patience`. A signal only makes it look sooner.
    static bool readable(zmq::socket_t& socket, milliseconds patience) {
        zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
        return poll(&item, 1, patience) > 0;
    }
    static int poll(zmq::pollitem_t* items, std::size_t count, milliseconds timeout) {
        try {
            return zmq::poll(items, count, timeout);
        } catch (const zmq::error_t& error) {
            if (error.num() != EINTR) throw;
            return 0;
        }
    }

    void wait(milliseconds patience) {
        const auto due =
            std::chrono::ceil<milliseconds>(connection_->machine.next_due() - connection_->now());
        const bool more_to_offer = outbox_may_have_more_ && connection_->machine.room() > 0;
        const milliseconds timeout =
            more_to_offer ? milliseconds{0} : std::clamp(due, milliseconds{0}, patience);
        std::array<zmq::pollitem_t, 2> items{
            {{connection_->dealer.handle(), 0, ZMQ_POLLIN, 0},
             {connection_->tunnel.ended().handle(), 0, ZMQ_POLLIN, 0}}
        };
        poll(items.data(), items.size(), timeout);
    }

    void read() {
        zmq::message_t why;
        const bool over = connection_->tunnel.ended().recv(why, zmq::recv_flags::dontwait).has_value();
        zmq::message_t message;
        for (std::size_t i = 0; (over || i < frames_at_once_max) && connection_; ++i) {
            if (over && !readable(connection_->dealer, straggler_wait)) break;
            if (!connection_->dealer.recv(message, zmq::recv_flags::dontwait)) break;
            if (message.more()) {
                lose("the broker sent a message of several parts", milliseconds{0});
                return;
            }
            const auto* data = message.data<std::uint8_t>();
            frame_.assign(data, data + message.size());  // aligned, which a view into libzmq's buffer is not
            heard_ = clock_.now();
            perform(connection_->machine.receive(frame_, connection_->now()));
        }
        if (connection_ && connection_->machine.welcomed()) backoff_.succeeded();
        if (over && connection_) {
            settle_durably();
            lose(why.to_string(), milliseconds{0});
        }
    }

    void perform(Actions actions) {
        for (Action& action : actions) {
            if (!connection_) return;
            std::visit([this](auto& wanted) { carry_out(wanted); }, action);
        }
    }

    void carry_out(Send& send) {
        if (!connection_->dealer.send(zmq::buffer(send.frame), zmq::send_flags::dontwait))
            lose("the broker reads too slowly", milliseconds{0});
    }
    void carry_out(Remember& remember) { box_.set_fact(checkpoint_fact, remember.checkpoint); }
    void carry_out(Store& store) {
        store.delivery.received = clock_.now();
        arrived_.push_back(std::move(store.delivery));
    }
    void carry_out(Confirmed& confirmed) {
        confirmed_.emplace_back(confirmed.id, confirmed.promise.index);
        newest_confirm_ = confirmed.promise.text();
    }
    void carry_out(Proven& proven) {
        const auto kept = Promise::parse(box_.fact(confirm_fact).value_or(""));
        if (kept && kept->index <= proven.index) box_.forget_fact(confirm_fact);
    }
    void carry_out(DeadLetter& letter) { box_.refused(letter.id, letter.refusal); }
    void carry_out(client::Answered& answered) { answer_ = std::move(answered); }
    void carry_out(Problem& problem) { problem_ = std::move(problem.what); }
    void carry_out(Alarm& alarm) {
        box_.set_fact(evidence_fact, alarm.evidence);
        connection_.reset();
        throw LogAlarm{alarm.what + "; the evidence is kept, see `log-evidence` in " + config_.data.string()};
    }
    void carry_out(End& end) {
        settle_durably();
        lose(std::move(end.problem), end.wait_at_least);
    }

    /// Makes durable what the frames read so far said, then acknowledges what was delivered.
    void settle_durably() {
        if (!confirmed_.empty()) {
            box_.at_once([this] {
                box_.confirmed(confirmed_);
                box_.set_fact(confirm_fact, newest_confirm_);
            });
            confirmed_.clear();
        }
        if (!arrived_.empty()) {
            box_.receive(arrived_);
            deliveries_ += arrived_.size();
            arrived_.clear();
            perform(connection_->machine.stored(connection_->now()));
        }
    }

    void offer() {
        while (connection_) {
            const std::size_t room = connection_->machine.room();
            if (room == 0) return;
            auto messages = box_.waiting(room, connection_->offered);
            outbox_may_have_more_ = messages.size() == room;
            if (messages.empty()) return;
            connection_->offered = messages.back().id;
            perform(connection_->machine.publish(std::move(messages), connection_->now()));
        }
    }

    void lose(std::string why, milliseconds wait_at_least) {
        problem_ = std::move(why);
        next_attempt_ = Steady::now() + std::max(backoff_.next(), wait_at_least);
        answer_.reset();
        connection_.reset();
    }

    /// Says goodbye and waits a moment for it to leave.
    void close() {
        if (!connection_) return;
        settle_durably();
        for (Action& action : connection_->machine.goodbye())
            if (auto* send = std::get_if<Send>(&action))
                (void)connection_->dealer.send(zmq::buffer(send->frame), zmq::send_flags::dontwait);
        readable(connection_->tunnel.ended(), last_words);
        connection_.reset();
    }

    const Config& config_;
    Box& box_;
    Clock& clock_;
    Backoff backoff_;
    zmq::context_t context_;
    crypto::TlsContext tls_;
    crypto::OriginKey origin_;
    log::VerifierKey log_key_;
    std::optional<Witness> witness_;

    std::optional<Connection> connection_;
    Steady::time_point next_attempt_{};
    std::string problem_;
    std::uint64_t deliveries_ = 0;
    std::optional<Instant> heard_;
    bool outbox_may_have_more_ = false;
    Bytes frame_;
    std::vector<Incoming> arrived_;
    std::vector<std::pair<Id16, std::uint64_t>> confirmed_;
    std::string newest_confirm_;
    std::optional<client::Answered> answer_;
};

Agent::Agent(const Config& config, Box& box, Clock& clock, Random& random)
    : impl_{std::make_unique<Impl>(config, box, clock, random)} {}
Agent::~Agent() = default;

AgentState Agent::run(const std::function<bool(const AgentState&)>& done, const std::stop_token& stop) {
    return impl_->run(done, stop);
}

Result<Agent::Answered> Agent::ask(const schemas::QueryValue& query, milliseconds patience) {
    return impl_->ask(query, patience);
}

Result<Agent::Answered> Agent::ask(schemas::QueryKind kind, std::uint8_t level, std::uint64_t from,
                                   std::uint16_t width, const std::optional<Id16>& id,
                                   milliseconds patience) {
    schemas::QueryValue query;
    query.kind = kind;
    query.level = level;
    query.from = from;
    query.width = width;
    if (id) query.id.assign(id->begin(), id->end());
    return impl_->ask(query, patience);
}

std::optional<std::string> Agent::cosign(const std::string& note, milliseconds patience) {
    return impl_->cosign(note, patience);
}

std::optional<std::string> Agent::head_shown() const { return impl_->head_shown(); }

void Agent::idle(milliseconds time) { impl_->idle(time); }

std::optional<BoxLock> BoxLock::take(const std::filesystem::path& box_file) {
    const std::string file = box_file.string() + ".lock";
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) throw std::system_error{errno, std::generic_category(), "cannot open " + file};
    BoxLock lock{fd};
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) throw std::system_error{errno, std::generic_category(), "cannot lock " + file};
    return std::nullopt;
}

BoxLock::BoxLock(BoxLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
BoxLock& BoxLock::operator=(BoxLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}
BoxLock::~BoxLock() {
    if (fd_ >= 0) ::close(fd_);
}

void settle(const Config& config, Box& box, Clock& clock, Random& random, const std::vector<Id16>& ids,
            std::chrono::seconds patience) {
    const auto until = Steady::now() + patience;
    std::size_t settled = 0;  // ids before it are
    const auto all_settled = [&] {
        while (settled < ids.size() && box.status(ids[settled]).state != OutgoingState::waiting) ++settled;
        return settled == ids.size();
    };
    std::string problem;
    while (!all_settled() && Steady::now() < until) {
        if (const auto lock = BoxLock::take(config.data)) {
            Agent agent{config, box, clock, random};
            const auto done = [&](const AgentState&) { return all_settled() || Steady::now() >= until; };
            problem = agent.run(done, {}).last_problem;
        } else {
            std::this_thread::sleep_for(
                look_again);  // a daemon has the box: it delivers, or ends and frees it
        }
    }
    if (!all_settled())
        throw std::runtime_error{"the broker did not confirm everything in time" +
                                 (problem.empty() ? "" : ": " + problem)};
}

}  // namespace flagpost::client
