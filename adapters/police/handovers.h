/// Children of this force's area in incidents that another force attended (force of residence). Each returns the exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace flagpost::police {

/// Those nobody has opened, the soonest due first; or all. What was recalled is among them until somebody has read that.
/// `by`: who looks. What has a conflict list is shown to nobody who has not said so.
int list_handovers(const std::filesystem::path& config, bool opened_too, const std::string& by, bool json,
                   std::ostream& out);
/// Throws std::runtime_error if there is none of this reference for who looks.
int show_handover(const std::filesystem::path& config, const std::string& reference, const std::string& by,
                  bool json, std::ostream& out);
/// A named person has read them; of a recall, that the copies are gone. 1 if a reference names none.
int acknowledge_handovers(const std::filesystem::path& config, const std::vector<std::string>& references,
                          const std::string& by, bool json, std::ostream& out);

}  // namespace flagpost::police
