// Package plaidsim is a local Plaid: its REST API and its Hosted Link page,
// for development, tests and demos. It owns every rule that Plaid documents
// for Link, Items, Auth, Identity, Transactions, Institutions, Sandbox and
// webhooks, and imports nothing else of this module, so that it cannot share
// our mistakes. The caller provides the listener.
//
// # The page for programs
//
// A hosted URL is /hl/<opaque>. GET opens a session and redirects (303) to
// /hl/<opaque>/<session>, the session's current pane. Each pane is one
// <form method="post"> that carries the pane's name in data-pane; it is posted
// to its own URL and answered with a redirect (303). No cookies are used. A
// pane with an error is shown again with role="alert". These names stay as they
// are:
//
//	data-pane                         fields (buttons in brackets)
//	CONSENT                           [continue=1]
//	SUBMIT_PHONE                      phone_number, [submit=1], [skip=1]; where that behaviour is chosen
//	VERIFY_PHONE                      otp, [submit=1], [skip=1]
//	SELECT_AUTH_TYPE                  [auth_type=instant|manual]
//	SELECT_INSTITUTION                q, [search=1], [institution_id=ins_…], [manual=1]
//	CREDENTIAL                        username, password, [submit=1], [back=1]
//	OAUTH                             [continue=1], [back=1]
//	OAUTH_LOGIN                       username, password, [allow=1], [deny=1]
//	RECAPTCHA                         not_a_robot=1, [submit=1]
//	MFA  data-mfa=device              mfa_device, [submit=1]
//	MFA  data-mfa=code                mfa_code, [submit=1]
//	MFA  data-mfa=questions           mfa_answer_0, mfa_answer_1, …, [submit=1]
//	MFA  data-mfa=selections          mfa_answer_0, mfa_answer_1, …, [submit=1]
//	SELECT_ACCOUNT                    account_ids (repeated), [submit=1]
//	NUMBERS                           account_holder_name and account_type=checking|savings (numbers-only),
//	                                  routing_number, account_number, account_number_confirm, [submit=1], [back=1]
//	SAME_DAY_MICRODEPOSIT_AUTHORIZED  [continue=1]
//	INSTANT_MICRODEPOSIT_AUTHORIZED   code, [submit=1]
//	VERIFY_CODE                       code, [submit=1]
//	CONNECTED                         [finish=1] where there is a completion address
//	EXIT                              [finish=1] where there is a completion address
//	ERROR                             [retry=1] where trying again makes sense
//
// Every pane before the end also has [exit=1]. Each account_ids input carries
// data-mask, data-name and data-subtype; it is a radio where only one account
// can be chosen, else a checkbox. When CONNECTED shows, the session is
// finished and its results are in /link/token/get already. An exit goes on to
// the completion address at once, where there is one. A link customization
// named "single" lets only one account be chosen. A password error_CODE,
// mfa_… or a JSON configuration of user_custom works as in Plaid's Sandbox.
//
// The user user_bulk_<N>, which is not Plaid's, has N transactions over 24
// months, newest first; N is at most a million.
//
// # Events
//
// [Server.ApplyEvent] changes an Item as its bank, its user or Plaid would, and
// so does POST /simulator/events with the same as JSON: the answer is
// {"ok":true}, or 400 with "field", "error" and the list of "kinds". Durations
// are written as "after":"168h". Every kind but the last takes item_id; fields
// in brackets are optional.
//
//	kind                 fields                       effect
//	login_required                                    ITEM_LOGIN_REQUIRED, ITEM/ERROR
//	login_repaired                                    in order again, ITEM/LOGIN_REPAIRED
//	pending_disconnect   [after] [reason]             PENDING_DISCONNECT, consent_expiration_time; then ITEM_LOGIN_REQUIRED
//	pending_expiration   [after]                      the same with PENDING_EXPIRATION
//	permission_revoked   [relinkable]                 USER_PERMISSION_REVOKED, in update mode too unless relinkable
//	institution_down     after                        INSTITUTION_DOWN for so long
//	gone                                              ITEM_NOT_FOUND everywhere
//	token_invalid                                     INVALID_ACCESS_TOKEN everywhere
//	no_accounts                                       NO_ACCOUNTS until update mode with account selection
//	no_auth_accounts                                  NO_AUTH_ACCOUNTS for Auth until the same
//	access_not_granted   [product=auth]               ACCESS_NOT_GRANTED until update mode
//	consent_missing      product                      ADDITIONAL_CONSENT_REQUIRED until update mode asks for it
//	new_accounts         [mask] [name]                one more account to choose in update mode, NEW_ACCOUNTS_AVAILABLE
//	account_revoked      mask                         not in replies until update mode, USER_ACCOUNT_REVOKED
//	account_closed       mask                         not in replies any more, and no webhook
//	account_renamed      mask name
//	account_reissued     mask                         another account_id; its transactions are removed and come again
//	numbers_changed      mask [what=both]             another account or routing number, AUTH/DEFAULT_UPDATE
//	verification         mask status [unseen]         that verification_status, and its webhook; an unseen deposit expires
//	txn_redated          [transaction_id|mask] [date]      the newest posted row, or the one named, has another date
//	txn_currency         [transaction_id|mask] [currency]  or another currency
//	txn_removed_late     [transaction_id|mask]             the oldest posted row, or the one named, is removed
//	txn_mutation         [pages=1]                    that many later pages of /transactions/sync break
//	webhook_key_rotated                               as [Server.RotateWebhookKey]
//
// An Item without accounts answers NO_ACCOUNTS. Rows of an account that replies
// do not have are neither sent nor removed; when it is shared again, all of them
// come again. The made-up rows of the dynamic and the bulk users belong to the
// accounts that were shared when transactions began.
package plaidsim
