/// The gate's DEALER to the broker's ROUTER: batches of fabric items up and down.
#pragma once

#include <optional>
#include <string>
#include <zmq.hpp>

#include "broker/crypto/digest.h"
#include "broker/wire/fabric.h"

namespace flagpost::gate {

/// Of a fabric item that concerns the link and no session.
inline constexpr Id16 no_session{};

/// Two ways to be connected. Over inproc:// the broker is in this process and trusts us. Over ipc:// both sides
/// hold the fabric key: the link is attached once the broker's challenge has been answered, and a broker lost is
/// noticed and asked again when it is back.
class FabricLink {
public:
    /// Throws std::invalid_argument if an ipc:// endpoint comes without a key, zmq::error_t if it is none.
    FabricLink(zmq::context_t& context, const std::string& endpoint, std::optional<crypto::SymmetricKey> key);

    /// To be watched for readability. libzmq signals only changes: after each event, and after anything sent,
    /// receive until there is nothing more.
    int descriptor() const;
    /// Likewise, for watch(); nothing over inproc://.
    std::optional<int> monitor_descriptor() const;

    bool attached() const { return attached_; }

    /// Adds an item to the batch being built.
    void add(wire::fabric::ItemKind kind, const Id16& session, BytesView content) {
        wire::fabric::append(batch_, kind, session, content);
    }
    std::size_t waiting() const { return batch_.size(); }

    /// Hands the batch over whole; false if there is no broker to take it, and the batch is forgotten.
    bool flush();

    /// The next batch from the broker; nothing if none waits.
    std::optional<zmq::message_t> receive();

    /// The broker's challenge: answers it. The link is attached from here on.
    void answer(BytesView nonce);

    /// Asks to be let in, if we are not: the first time, and again each time an answer is overdue.
    void ask();

    /// Looks whether the broker has come or gone; true if it has gone since the last call.
    bool watch();

private:
    bool reachable();
    bool send(BytesView batch);

    zmq::socket_t socket_;
    std::optional<zmq::socket_t> monitor_;
    std::optional<crypto::SymmetricKey> key_;
    bool attached_;
    Bytes batch_;
};

}  // namespace flagpost::gate
