/// Exact wording of the pages, each once. A test compares rendered pages with it.
#pragma once

#include <string>

namespace flagpost::web::words {

inline constexpr auto information = "This is information, not a referral.";
inline constexpr auto no_replacement = "It does not replace a police referral. Police referral:";
inline constexpr auto possible = "Possible match: verify before acting.";
inline constexpr auto possible_check =
    "Check that this is the same child before you contact anyone or write to a child's record.";
inline constexpr auto school_warning = "Do not approach parents or carers because of this notice.";
inline constexpr auto school_warning_rest =
    "Doing so could put a child or an adult in danger. Support the child as you usually would. If you are "
    "worried, follow your safeguarding procedure. In an emergency, phone 999.";
inline constexpr auto school_inset =
    "Keep this in the child's protection file, not the main pupil file. It contains police information: ask "
    "police before you show or give it to anyone, also when somebody asks for their own records.";
inline constexpr auto record_hint =
    "Closes this notice. Police see that it is closed, when, and the choice you picked, not your name (as "
    "the agreement sets). Write details in your case system, not here.";
inline constexpr auto opened_by_manager =
    "You are not one of the people this was sent to, so opening it has not stopped the clock. Take it if you "
    "will act on it.";
inline constexpr auto opened_by_lead =
    "You are not one of this school's contacts, so opening it has not stopped the clock. The school's DSL or "
    "deputy must open it; you may pass it to one of them.";
inline constexpr auto empty_inbox =
    "Nothing to act on. This does not mean that nothing has happened: Flagpost knows only what police "
    "recorded and what was matched.";
inline constexpr auto no_safety = "No notice about a child does not mean that there is no concern.";
inline constexpr auto nobody_else = "Other children in this incident who attend other schools are not shown.";
inline constexpr auto sign_in_wrong = "That name, password or code is not right.";
inline constexpr auto sign_in_wait =
    "Too many attempts were made with this name. Wait 15 minutes, then try again.";
inline constexpr auto password_size = "At least 12 characters. Three words you will remember are good.";
inline constexpr auto password_differs = "The two passwords are not the same.";
inline constexpr auto password_given = "Choose another one than the one you were given.";
inline constexpr auto signed_out_after = "You will be signed out after 30 minutes without use.";
inline constexpr auto ended = "You were signed out, because nothing was done here for 30 minutes.";
inline constexpr auto ended_and_kept =
    "You were signed out, because nothing was done here for 30 minutes. What you filled in was not sent. It "
    "is "
    "kept for 30 minutes: sign in, and it is on its page again.";
inline constexpr auto restored =
    "You were signed out before this was sent, and nothing of it was recorded. What you filled in is on this "
    "page again, but a file has to be chosen anew. Look at it, then send it.";
inline constexpr auto proxy_signed_out =
    "Sign out on your organisation's own page as well. Until you do, whoever opens Flagpost in this browser "
    "is signed in as you.";
inline constexpr auto too_large =
    "It was not read, and nothing was recorded. Go back: what you typed should still be there. Make it "
    "shorter, then send it again. A file may have at most 16 MiB.";
inline constexpr auto not_understood =
    "Nothing was recorded. Go back, open the page again and try once more.";
inline constexpr auto corrected_tell = "Was / is now, below. Tell anyone you told.";
inline constexpr auto practice = "These children are not real.";
inline constexpr auto did_not_say = "Police did not say";

inline std::string opened(const std::string& moment) {
    return "Opening this page recorded that you saw this notice " + moment +
           ". It does not say that you agree with it or that anything was done. It stays in your inbox until "
           "you record what you did.";
}
inline std::string old_list(const std::string& hours, const std::string& limit) {
    return "Your authority's flag list was " + hours +
           " hours old when this was matched; it should be no older than " + limit + ".";
}
inline std::string historic(const std::string& date, const std::string& months) {
    return "The plan ended on " + date + ". You are told because this is within " + months + " months.";
}
inline std::string corrected(const std::string& moment) {
    return "This notice was corrected " + moment + ".";
}
inline std::string recalled(const std::string& moment) { return "This notice was recalled " + moment + "."; }
inline std::string recalled_rest(const std::string& reason) {
    return "Reason: " + reason + ". Do not use it. Remove any copy you made, then record that you have.";
}
inline std::string cut_off(const std::string& time) {
    return "No connection to Flagpost since " + time + ".";
}
inline std::string cut_off_rest(const std::string& phone) {
    return "There may be notices you cannot see. Phone " + phone +
           ". What you record here is kept and sent later.";
}
inline std::string not_yet_received(const std::string& moment) {
    return "Recorded here " + moment + ". Not yet received by Flagpost.";
}
inline std::string not_accepted(const std::string& phone) {
    return "Flagpost did not accept what was recorded here. Phone " + phone + ".";
}

}  // namespace flagpost::web::words
