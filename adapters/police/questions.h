/// What recipients of notices ask the force, and its answers. Each returns the exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

namespace flagpost::police {

/// Those not answered, the soonest due first; or all.
/// `by`: who looks; of a case with a conflict list nothing is shown without.
int list_questions(const std::filesystem::path& config, bool answered_too, const std::string& by, bool json,
                   std::ostream& out);
int show_question(const std::filesystem::path& config, const std::string& reference, const std::string& by,
                  bool json, std::ostream& out);

struct Answering {
    std::string reference;
    std::string by;       // the named person
    std::string outcome;  // code
    std::string text;
};
/// Sends the answer to whoever asked. 1 if there is no such question, or it was answered before.
int answer_question(const std::filesystem::path& config, const Answering& answer, bool json,
                    std::ostream& out);

}  // namespace flagpost::police
