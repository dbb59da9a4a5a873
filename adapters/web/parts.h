/// Small parts that pages about notices share: tags, facts, choices, and the list of what needs somebody.
#pragma once

#include <functional>

#include "adapters/web/site.h"
#include "adapters/web/when.h"

namespace flagpost::web {

/// Foreign text, or that police did not say.
std::string said(const std::string& text);
/// With a full stop where it has no end of its own.
std::string sentence(const std::string& text);
/// The visit as times on paper are told from: by their whole date, since "today" is soon another day.
Visit on_paper(const Visit& visit);
/// Whole years since a date of birth, or "" where it is not whole.
std::string age(const std::string& born, Instant now);

/// A status in words; the colour is one of govuk-tag's, "" for its default.
View tag(const std::string& words, const std::string& colour);
/// One line of a summary list.
View fact(const std::string& key, const std::string& value);
/// One of several to choose from, of which so many stand before it.
View choice(const std::string& code, const std::string& words, std::size_t before, bool chosen = false);
/// One line of what was corrected.
View change(const std::string& what, const std::string& was, const std::string& is_now);

/// How soon a notice wants somebody: the order of the inbox, which nobody can change.
enum class Group { overdue, changed, to_do };

/// One notice on a list.
struct InboxRow {
    Group group = Group::to_do;
    std::string child, reference;
    std::vector<View> tags;  // beside the child
    Due due{"", "", "fp-due", false};
    std::string what, when, whose;
    View state;  // a tag
};

/// The same before anybody has to read it: of ten thousand only those on the page are made.
struct InboxLine {
    Group group;
    std::function<InboxRow()> row;
};
InboxLine line_of(InboxRow row);

/// What an agency's own inbox is called and may be narrowed to.
struct InboxKind {
    std::string due_head, what_head, whose_head;  // of the columns
    std::string needs;                            // "something from you or your team"
    std::vector<std::pair<std::string, std::string>>
        show;                          // the filter: code and words, the first is usual; may be empty
    std::vector<std::string> notes{};  // said above the list: a closed school
};

/// The code of the filter that was asked for, or the usual one.
std::string shown_of(const Visit& visit, const InboxKind& kind);
/// The page `inbox` of these lines, in their order: overdue, changed, to do, the last in pages of 25. Page 1 holds all that is
/// overdue, up to 200.
Page inbox_page(const Visit& visit, const InboxKind& kind, const std::vector<InboxLine>& lines);

}  // namespace flagpost::web
