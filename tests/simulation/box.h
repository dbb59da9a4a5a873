/// An adapter's durable memory as a model of client::Box: what it has answered is there after any crash.
///
/// Each call is one transaction, so a crash comes between two calls; the rules are those box_test.cpp shows of the real
/// one.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "adapters/client/box.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/plant.h"

namespace flagpost::simulation {

class AgencyBox {
public:
    virtual ~AgencyBox() = default;
    virtual std::vector<Id16> enqueue(const std::vector<std::pair<wire::Draft, std::string>>& drafts) = 0;
    virtual std::vector<client::Outgoing> waiting(std::size_t most,
                                                  const std::optional<Id16>& after) const = 0;
    virtual void confirmed(const std::vector<std::pair<Id16, std::uint64_t>>& ids_and_leaves) = 0;
    virtual void refused(const Id16& id, const Refusal& refusal) = 0;
    /// Nothing for an id that was never enqueued, or is lost.
    virtual std::optional<client::OutgoingStatus> status(const Id16& id) const = 0;
    /// Returns those that were not there yet.
    virtual std::vector<client::Incoming> receive(const std::vector<client::Incoming>& deliveries) = 0;
    virtual std::vector<client::Incoming> inbox() const = 0;
    /// The id of the receipt, where this is news.
    virtual std::optional<Id16> acknowledge(const client::Incoming& item, schemas::Level level,
                                            const AgencyId& agency) = 0;
    virtual std::optional<std::string> fact(const std::string& name) const = 0;
    virtual void set_fact(const std::string& name, const std::string& value) = 0;
    /// The box of some time ago: messages confirmed since then wait again.
    virtual void set_back(Dice& dice) = 0;
};

class ModelBox final : public AgencyBox {
public:
    ModelBox(Clock& clock, Random& random, Plant plant) : clock_{clock}, random_{random}, plant_{plant} {}

    std::vector<Id16> enqueue(const std::vector<std::pair<wire::Draft, std::string>>& drafts) override;
    std::vector<client::Outgoing> waiting(std::size_t most, const std::optional<Id16>& after) const override;
    void confirmed(const std::vector<std::pair<Id16, std::uint64_t>>& ids_and_leaves) override;
    void refused(const Id16& id, const Refusal& refusal) override;
    std::optional<client::OutgoingStatus> status(const Id16& id) const override;
    std::vector<client::Incoming> receive(const std::vector<client::Incoming>& deliveries) override;
    std::vector<client::Incoming> inbox() const override { return incoming_; }
    std::optional<Id16> acknowledge(const client::Incoming& item, schemas::Level level,
                                    const AgencyId& agency) override;
    std::optional<std::string> fact(const std::string& name) const override;
    void set_fact(const std::string& name, const std::string& value) override { facts_[name] = value; }
    void set_back(Dice& dice) override;

private:
    struct Row {
        client::Outgoing message;
        client::OutgoingStatus status;
    };
    Id16 insert(const wire::Draft& draft, const std::string& source);

    Clock& clock_;
    Random& random_;
    Plant plant_;
    std::vector<Row> outgoing_;
    std::map<Id16, std::size_t> places_;
    std::set<std::size_t> waiting_;
    std::vector<client::Incoming> incoming_;
    std::set<std::pair<std::string, Id16>> received_;
    std::map<std::string, std::string> facts_;
};

}  // namespace flagpost::simulation
