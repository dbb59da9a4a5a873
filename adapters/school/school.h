/// What the schools' program does, command by command. Each returns the exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "adapters/desk/loads.h"

namespace flagpost::school {

/// What every command is given.
struct Call {
    std::filesystem::path config;
    bool json = false;
};

/// A school, a trust of many, an authority's education safeguarding team.
const std::vector<std::string>& agency_kinds();
/// The config file's own settings of this role.
const std::vector<std::string>& own_settings();

/// Which list of children a file is.
struct RollOf {
    std::string la = {};                      // authority, where the agency's own is not meant
    std::string urn = {};                     // school of a CTF
    std::optional<std::uint64_t> count = {};  // rows the file must have; 0: nobody is on the list
    bool not_in_school = false;               // the authority's register of children not in school
};

/// Where the roll of this agency goes. A school's is its own; an authority's and a trust's is that of an authority, which
/// a trust must name. Throws std::runtime_error if it does not, and if a school hands over a register.
desk::Destination roll_destination(const AgencyId& agency, const RollOf& of);

int load_roll(const Call& call, const RollOf& of, const desk::LoadOptions& options, std::ostream& out);
/// `urn`: whose they are; a school's own where it is empty. Two contacts at least, or nothing is sent.
int load_contacts(const Call& call, const std::string& urn, const desk::LoadOptions& options,
                  std::ostream& out);
int load_terms(const Call& call, const std::string& urn, const desk::LoadOptions& options, std::ostream& out);
int list_contacts(const Call& call, const std::string& urn, std::ostream& out);
int run(const Call& call);
/// What is unread and late, what waits to be sent, and whether people could be told of what is new.
int status(const Call& call, std::ostream& out);
/// What the thread that owns the box does beside: it tells people of what is new, if the config has hooks for it. Throws
/// std::runtime_error for settings that cannot be.
desk::Desk::Turn notifying(desk::Desk& desk, const std::filesystem::path& config_file);

/// `by`: who looks. What has a conflict list is shown to nobody who has not said so.
int list_inbox(const Call& call, bool closed_too, const std::string& by, std::ostream& out);
int show(const Call& call, const std::string& reference, const std::string& by, std::ostream& out);
/// With an outcome the notice is recorded and closed, too.
int acknowledge(const Call& call, const std::vector<std::string>& references, const std::string& by,
                const std::string& outcome, std::ostream& out);

}  // namespace flagpost::school
