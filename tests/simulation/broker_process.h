/// The broker's process from start to death: the real exchange and router::Broker, and around them what BrokerLoop,
/// StoreThread and the gate do, in virtual time.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "broker/core/wall_time.h"
#include "broker/log/signer.h"
#include "broker/router/broker.h"
#include "broker/router/syncer.h"
#include "broker/wire/zmtp.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"

namespace flagpost::simulation {

class World;

class BrokerProcess {
public:
    explicit BrokerProcess(World& world);
    ~BrokerProcess();

    void start();
    bool alive() const { return life_ != nullptr; }
    bool serving() const { return serving_; }
    /// Everything in memory is gone. `quietly`: its machine too, and nobody is told.
    void die(bool quietly);
    void die_and_restart(bool quietly);
    void restart_after(microseconds delay);

    void step_clock(microseconds by) { clock_offset_ += by; }
    void lose_gate();
    /// Its certificate is on the list now: out at once, and not in again before it has another.
    void revoke(const AgencyId& agency);
    void pardon(const AgencyId& agency);
    bool revoked(const AgencyId& agency) const { return revoked_.contains(agency); }
    /// From now on nothing signed with that agency's key is taken; or it is again.
    void withdraw_key(const AgencyId& agency);
    void restore_keys();

    /// A connection has come in.
    void accept(const std::shared_ptr<Connection>& connection, const AgencyId& agency);

    // For invariants
    const exchange::Exchange& exchange() const { return *exchange_; }
    store::Reader& reader() { return *reader_; }
    bool idle() const { return broker_->idle() && !store_busy_; }
    const log::VerifierKey& log_key() const { return log_key_; }
    /// By the broker's own clock.
    Instant wall() const;

private:
    struct Door {  // the gate's side of one connection
        std::shared_ptr<Connection> connection;
        AgencyId agency;
        wire::zmtp::Parser parser{"DEALER"};
        bool opened = false;
        std::uint64_t window = 0;
        std::deque<Bytes> waiting = {};
    };

    // As BrokerLoop
    Now now();
    void run(const std::function<void()>& step);
    void turn_soon(microseconds delay);
    void end_turn();
    void hand_over();
    void flush();
    void plan_tick();
    void files_changed();
    exchange::InForce texts() const;

    // As StoreThread
    struct News {
        store::Committed committed;
        bool frees;  // the store, which takes the next batch from then on
    };
    void commit(store::Batch batch, bool frees);
    void sign_if_due();
    void sign();
    void hear(News news);
    void take_news();
    microseconds commit_lasts();

    // As recovery in broker/app
    void open_store();
    void recover();
    void settle_uncertain();
    void book(const store::Committed& committed);

    // As the gate
    void arrived(const Id16& session, BytesView bytes);
    void hung_up(const Id16& session);
    void forward(const Id16& session, Door& door);
    void to_broker(wire::fabric::ItemKind kind, const Id16& session, BytesView content);
    void take_item(const wire::fabric::Item& item);
    static void send_frame(Door& door, BytesView frame);
    void shut_door(const Id16& session, const wire::fabric::Ending& why);
    void forget_door(const Id16& session, Reason why);
    std::vector<wire::fabric::Item> spoilt(std::vector<wire::fabric::Item> items);

    World& world_;
    microseconds clock_offset_{0};
    router::Parties parties_;
    std::uint64_t crl_number_ = 1, parties_number_ = 1;
    std::set<AgencyId> revoked_;
    log::VerifierKey log_key_;
    std::uint64_t starts_ = 0;

    Life life_;
    bool serving_ = false;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<store::Reader> reader_;
    std::unique_ptr<exchange::Exchange> exchange_;
    std::optional<WallTime> time_;
    std::unique_ptr<router::Broker> broker_;
    bool turn_planned_ = false;

    std::optional<log::Signer> signer_;
    bool store_busy_ = false;
    bool store_asked_ = false;  // it has the batch of the moment: what became of it is for the disk to say
    std::uint64_t signed_size_ = 0;
    Moment signed_at_{0};
    Moment on_disk_at_{0};  // the last batch handed over
    std::vector<News> news_;
    std::vector<std::string> heads_;
    std::optional<Platter> backup_;  // what the disk is set back to, where that is planted

    std::map<Id16, Door> doors_;
    Bytes fabric_;  // to the broker, not yet taken
    bool fabric_planned_ = false;
};

}  // namespace flagpost::simulation
