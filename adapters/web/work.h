/// What people do about notices at an agency's pages, whatever the notices hold: open, record, take, pass on, say that it is
/// the wrong child; and the story of each.
#pragma once

#include <span>

#include "adapters/desk/words.h"
#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/parts.h"
#include "adapters/web/site.h"

namespace flagpost::web {

/// "/notices/FP-7K3M-29QD".
std::string path_of(const std::string& reference);

/// Safe for several threads, as everything it uses is; all of it lives as long as this.
class Work {
public:
    Work(Site& site, Reader& reader, Handover& handover, Journal& journal, People& people)
        : site_{site}, reader_{reader}, handover_{handover}, journal_{journal}, people_{people} {}

    /// What somebody who signs in with this name is called.
    std::string called(const std::string& name);
    /// "you", or the other's name.
    static std::string who(const Visit& visit, const std::string& called_by);

    /// Into the agency's own journal: once, however often the same form comes.
    void note(const Visit& visit, const std::string& reference, const std::string& what,
              const std::string& detail = {});
    /// Marks it opened by this person, unless somebody has. False: it was not done in time.
    bool open(const Visit& visit, const std::string& reference, client::Incoming& item);
    /// Closes it, and leads back to it, saying what `said` stands for; 409 with who was first.
    Response record(const Visit& visit, const std::string& reference, const std::string& outcome,
                    const std::string& said = "recorded");
    /// The page that asks what was done after all, of a notice that is recorded; with an error it was posted without a choice.
    Response ask_change(const Visit& visit, const std::string& reference, const client::Incoming& item,
                        std::span<const desk::CodeWords> codes, const std::string& error);
    /// Records it in place of what was recorded, which stays in the log and in the story.
    Response change(const Visit& visit, const std::string& reference, const client::Incoming& item,
                    std::span<const desk::CodeWords> codes);
    /// Somebody has said that it is the wrong child.
    bool disputed(const std::string& reference) const;

    /// The choices of the form that records, the one chosen before the session ended already made. `as_if` has a code's words
    /// where they are not the usual ones.
    std::vector<View> outcomes(const Visit& visit, std::span<const desk::CodeWords> codes,
                               const std::map<std::string, std::string>& as_if);

    /// Words for an entry of the journal; "" for one that is not told.
    using Telling = std::function<std::string(const Entry& entry, const std::string& by)>;
    /// What happened to it, the newest first.
    std::vector<View> timeline(const Visit& visit, const std::string& reference, const client::Incoming& item,
                               std::span<const desk::CodeWords> codes, const Telling& more);

    /// What the notice's page says of the receipt of what was recorded.
    struct Standing {
        std::string
            recorded;  // "Recorded by you at 8:20am: Known already. Received by Flagpost."; empty: not recorded
        std::string waiting;  // not received yet, or refused; empty: neither
    };
    Standing standing(const Visit& visit, const client::Incoming& item, const std::string& notice_hex,
                      std::span<const desk::CodeWords> codes);

    /// A page that asks for one of several about a notice; with an error it was answered without a choice.
    struct Asked {
        std::string error, title, heading, hint, action, button, nobody;
        std::vector<View> choices;
    };
    Response ask(const Visit& visit, const std::string& reference, const Asked& asked);

    /// The recall that took this notice back, if one did.
    std::optional<client::Incoming> recall_of(const client::Incoming& item);
    /// Recalls that nobody has recorded yet.
    std::vector<client::Incoming> open_recalls();
    InboxRow recall_row(const Visit& visit, const client::Incoming& recall);
    /// The page of a recall, and its form; with an error it was posted without a choice.
    /// `questions`: what police have answered since, as template `questions` shows it.
    /// `acts`: the look of anybody else opens nothing, and they get no form.
    Response show_recall(const Visit& visit, client::Incoming recall, const std::string& error,
                         const std::vector<View>& questions = {}, bool acts = true);
    static bool is_recall_outcome(const std::string& code);
    Response record_recall(const Visit& visit, const client::Incoming& recall);

    /// One line of the page `done`, the first being of the newest.
    View done_row(const Visit& visit, const std::string& reference, const std::string& place,
                  const client::Incoming& item, std::span<const desk::CodeWords> codes);
    Page done_page(const std::vector<View>& rows);

private:
    Site& site_;
    Reader& reader_;
    Handover& handover_;
    Journal& journal_;
    People& people_;
};

inline constexpr std::size_t done_shown_max = 500;
inline constexpr std::chrono::hours done_kept{24 * 90};

}  // namespace flagpost::web
