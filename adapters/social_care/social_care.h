/// What the social care program does, command by command. Each returns the exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "adapters/desk/inbox.h"
#include "adapters/desk/loads.h"
#include "adapters/social_care/flag_file.h"

namespace flagpost::social_care {

/// What every command is given.
struct Call {
    std::filesystem::path config;
    bool json = false;
};

struct FlagsToLoad {
    desk::LoadOptions load;
    std::string la;                      // whose flags these are; empty: the certificate's own
    std::optional<FlagFormat> format;    // none: by the content
    std::filesystem::path details;       // beside a return; may be empty
    std::optional<std::uint64_t> count;  // of records the file should have
};
/// A file that cannot be read, or has another number of records, changes nothing and is answered by the code the broker
/// would have given.
int load_flags(const Call& call, const FlagsToLoad& flags, std::ostream& out);
int run(const Call& call);

/// What a list is asked for. What has a conflict list is shown to nobody who has not said who looks (`by`).
struct ToList {
    bool closed_too = false;
    std::string by = {};
};
int list_inbox(const Call& call, const ToList& listed, std::ostream& out);
int list_reviews(const Call& call, const ToList& listed, std::ostream& out);
int show(const Call& call, const std::string& reference, const std::string& by, std::ostream& out);
int acknowledge(const Call& call, const std::vector<std::string>& references, const std::string& by,
                std::ostream& out);
int record(const Call& call, const std::vector<std::string>& references, const std::string& by,
           const std::string& outcome, std::ostream& out);
/// Asks police about a notice. 1 if there is no such notice.
int ask(const Call& call, const std::string& reference, const client::Box::Asking& asking, std::ostream& out);
int decide(const Call& call, const std::vector<std::string>& references, const desk::ReviewMark& mark,
           std::ostream& out);

}  // namespace flagpost::social_care
