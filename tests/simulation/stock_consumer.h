/// A client that is not ours, at a stock ZeroMQ binding: it keeps little, grants little credit, and tries what it may not.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/wire/zmtp.h"
#include "tests/simulation/county.h"
#include "tests/simulation/network.h"

namespace flagpost::simulation {

class World;

class StockConsumer {
public:
    explicit StockConsumer(World& world);

    void start() { connect(); }
    /// Publishes, repeats itself, contradicts itself, trespasses, or talks nonsense.
    void act();
    /// From here on it behaves, and takes what there is for it.
    void mend() { calm_ = true; }
    void lose_power();

private:
    void connect();
    void arrived(BytesView bytes);
    void take(BytesView frame);
    void delivered(const schemas::Deliver& deliver, std::size_t size);
    void send(Bytes frame);
    void lose();
    void beat(std::uint64_t link);
    void grant();
    void publish(const Bytes& envelope);
    void subscribe(std::vector<std::string> topics);

    World& world_;
    AgencyId agency_;
    Dice dice_;
    bool calm_ = false;
    Life life_ = new_life();
    std::shared_ptr<Connection> connection_;
    std::uint64_t links_ = 0;
    bool welcomed_ = false;
    wire::zmtp::Parser parser_{"ROUTER"};
    std::uint64_t messages_owed_ = 0, bytes_owed_ = 0;  // delivered, for which no new credit was granted
    std::vector<std::uint64_t> unacknowledged_;
    std::vector<Bytes> published_;
};

}  // namespace flagpost::simulation
