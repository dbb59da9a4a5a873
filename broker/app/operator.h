/// What an operator does from the command line, over the wire like any other party: look, and load reference files.
#pragma once

#include <filesystem>
#include <optional>

#include "broker/app/reference.h"
#include "notice_generated.h"
#include "order_generated.h"

namespace flagpost::app {

// `config` is an operator's own file, as adapters have it (adapters/client/config.h). Each prints to stdout, throws
// std::runtime_error with the reason when it could not be done, and returns the process's exit code.

/// Every notice still owed, with its state and when it is due.
int show_obligations(const std::filesystem::path& config, bool json);

/// Size of the log, its newest head, what is in force, how much is owed.
int show_status(const std::filesystem::path& config, bool json);

/// What no consumer could store, and who has to look after it.
int show_dead_letters(const std::filesystem::path& config, bool json);

struct OperatorCall {
    std::filesystem::path config;
    schemas::OperatorDoes does{};
    std::string topic;         // of the dead letter; empty: about the clock
    std::uint64_t number = 0;  // likewise
    std::string by, reason;
};
/// Publishes what a named operator decides, signed, and waits until it is recorded.
int act(const OperatorCall& call);

/// Likewise an order about records: a hold, its end, or an erasure.
int order(const std::filesystem::path& config, const schemas::RecordOrderValue& order);

/// Publishes a published file as a load and waits for its result. 0 only if every record of the file was taken.
int load_reference(const std::filesystem::path& config, const std::filesystem::path& file,
                   std::optional<ReferenceKind> as);

}  // namespace flagpost::app
