#include "tests/simulation/stock_consumer.h"

#include "broker/crypto/digest.h"
#include "broker/log/merkle.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::simulation {

using namespace std::chrono_literals;

namespace {

const std::string name = "bench/2";

}  // namespace

StockConsumer::StockConsumer(World& world)
    : world_{world}, agency_{AgencyId::parse(name).value()}, dice_{world.dice.next()} {}

void StockConsumer::connect() {
    const auto number = ++links_;
    welcomed_ = false;
    parser_ = wire::zmtp::Parser{"ROUTER"};
    messages_owed_ = bytes_owed_ = 0;
    unacknowledged_.clear();
    connection_ = world_.connect(agency_, {[this, number](BytesView bytes) {
                                               if (number == links_) arrived(bytes);
                                           },
                                           [this, number] {
                                               if (number == links_) lose();
                                           },
                                           life_});
    connection_->send(End::client, wire::zmtp::greeting());
    connection_->send(End::client, wire::zmtp::ready_command("DEALER"));
    schemas::HelloValue hello;
    hello.version = 1;
    hello.software = "stock/1";
    send(wire::pack_frame(std::move(hello)));
    beat(number);
}

void StockConsumer::lose() {
    connection_->close(End::client);
    connection_.reset();
    ++links_;
    world_.after(dice_.between(200ms, 4s), [this] { connect(); });
}

void StockConsumer::lose_power() {
    if (!connection_) return;
    connection_->fall_silent();
    lose();
}

void StockConsumer::beat(std::uint64_t link) {
    // It has no clock of its own for silence: a new connection every so often is how it copes.
    world_.scheduler.after(5s, [this, link] {
        if (link != links_) return;
        if (dice_.one_in(6)) return lose();
        send(wire::pack_frame(schemas::HeartbeatValue{}));
        grant();
        beat(link);
    });
}

void StockConsumer::send(Bytes frame) {
    if (!connection_) return;
    world_.tell([&](auto& each) { each.sent_by_stock(links_, frame); });
    Bytes bytes;
    wire::zmtp::append_message(bytes, frame);
    connection_->send(End::client, bytes);
}

void StockConsumer::arrived(BytesView bytes) {
    std::vector<Bytes> frames;
    const auto fed = parser_.feed(bytes, [&](wire::zmtp::Event event) {
        if (const auto* message = std::get_if<wire::zmtp::Message>(&event))
            frames.push_back(copy(message->content));
    });
    if (!fed) throw std::logic_error{"the gate's ZMTP cannot be read: " + fed.error().where};
    const auto link = links_;
    for (const Bytes& frame : frames)
        if (link == links_) take(frame);
}

void StockConsumer::take(BytesView bytes) {
    world_.tell([&](auto& each) { each.received_by_stock(links_, bytes); });
    const auto* frame = wire::read_frame(bytes).value();
    switch (frame->body_type()) {
        case schemas::Body::Welcome:
            welcomed_ = true;
            return subscribe({name});
        case schemas::Body::Deliver:
            return delivered(*frame->body_as_Deliver(), bytes.size());
        case schemas::Body::Goodbye:
            return lose();
        default:
            return;
    }
}

void StockConsumer::subscribe(std::vector<std::string> topics) {
    schemas::SubscribeValue subscribe;
    subscribe.durable = "stock";
    subscribe.topics = std::move(topics);
    subscribe.credit_messages = 1 + static_cast<std::uint32_t>(dice_.below(3));
    subscribe.credit_bytes = 1 + dice_.below(600);
    send(wire::pack_frame(std::move(subscribe)));
}

void StockConsumer::delivered(const schemas::Deliver& deliver, std::size_t size) {
    unacknowledged_.push_back(deliver.number());
    ++messages_owed_;
    bytes_owed_ += size;
    if (calm_ || dice_.one_in(2)) {
        if (unacknowledged_.size() > 1 && dice_.one_in(2))
            std::swap(unacknowledged_.front(), unacknowledged_.back());
        send(wire::acknowledge_frame(name, unacknowledged_));
        unacknowledged_.clear();
    }
    if (calm_ || dice_.one_in(2)) grant();
}

void StockConsumer::grant() {
    if (!welcomed_) return;
    schemas::CreditValue credit;
    credit.messages = static_cast<std::uint32_t>(messages_owed_);
    credit.bytes = bytes_owed_;
    messages_owed_ = bytes_owed_ = 0;
    if (credit.messages > 0) send(wire::pack_frame(std::move(credit)));
    if (!unacknowledged_.empty()) {
        send(wire::acknowledge_frame(name, unacknowledged_));
        unacknowledged_.clear();
    }
}

void StockConsumer::publish(const Bytes& envelope) {
    const std::vector<Digest> batch{crypto::sha256(envelope)};
    schemas::OriginValue origin;
    origin.signature = identity(name).origin.sign(wire::origin_message(log::batch_root(batch)));
    origin.size = 1;
    send(wire::publish_frame(envelope, origin));
}

void StockConsumer::act() {
    if (!welcomed_ || !connection_) return;
    const Instant now = epoch + world_.scheduler.now();
    switch (dice_.below(10)) {
        case 0:  // again, byte for byte
            if (!published_.empty()) publish(dice_.pick(published_));
            return;
        case 1:  // the same id for something else
            if (!published_.empty())
                publish(wire::make_envelope(make_opaque(dice_, name),
                                            wire::read_envelope(dice_.pick(published_))->id,
                                            dice_.bytes<16>(), now));
            return;
        case 2:  // in somebody else's name
            return publish(wire::make_envelope(make_opaque(dice_, "bench/1"), make_uuid7(now, dice_),
                                               dice_.bytes<16>(), now));
        case 3:  // somebody else's mailbox
            return subscribe({"notices/school/900001"});
        case 4:  // what it was never sent
            return send(wire::acknowledge_frame(name, {world_.ledger.high_water(name) + 1 + dice_.below(3)}));
        case 5:  // nonsense
            if (dice_.one_in(3)) send(Bytes(1 + dice_.below(40), 7));
            return;
        default:
            published_.push_back(wire::make_envelope(make_opaque(dice_, name), make_uuid7(now, dice_),
                                                     dice_.bytes<16>(), now));
            return publish(published_.back());
    }
}

}  // namespace flagpost::simulation
