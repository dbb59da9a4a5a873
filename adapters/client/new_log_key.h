/// The command `new-log-key`: goes on under another key of the log where no head was seen that both keys signed.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>

#include "adapters/client/box.h"
#include "adapters/client/config.h"

namespace flagpost::client {

// What the box knows of the log, by fact.
inline constexpr auto checkpoint_fact = "log-checkpoint";  // the signed head remembered last
inline constexpr auto evidence_fact = "log-evidence";      // of the last alarm
inline constexpr auto confirm_fact = "log-confirm";        // the newest Confirm not proven yet

struct NewLogKey {
    std::string vkey, by, reason;  // as typed

    static constexpr auto description =
        "Go on under the log's new key where this program was away for the whole time in which both keys "
        "signed:\nthe head it remembers is put into a file beside its data, as evidence, and the next "
        "connection begins anew.\nRefused while the head remembered is signed by the key in the settings: "
        "then there is no need.";
    void take(CLI::App& command);
};

/// Puts the head that the box remembers, with who had it done and why, into a new file beside the box ("<data>.head-<UTC time>", its
/// owner's alone) and forgets it. What was confirmed and is not proven yet stays: the log has to hold it under the new key too.
/// Returns the file. Throws std::runtime_error, and changes nothing, where `asked` names nobody or no reason, or another key than
/// the one in the settings; where nothing is remembered, or a head that the key in the settings signed or that is of a log of another name.
std::filesystem::path forget_head(const Config& config, Box& box, const NewLogKey& asked, Instant now);

/// The command: exit code 0, and what was done on `out`. Throws likewise, and while another program serves the box.
int follow_new_log_key(const Config& config, const NewLogKey& asked, std::ostream& out);

}  // namespace flagpost::client
