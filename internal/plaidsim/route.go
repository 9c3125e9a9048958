package plaidsim

// route describes a path. Its handler runs under Server.mu and returns the reply without request_id.
type route struct {
	serve   func(*Server, *call) (obj, *apiError)
	token   bool   // needs access_token, and finds its Item
	healthy bool   // refuses an Item in error
	product string // product of the call; empty for none
	durable bool   // save before replying: the reply shows a change
	sandbox bool
	open    bool // needs no credentials, and the body may be null
}

var routes = map[string]route{
	"/accounts/balance/get":                       {serve: (*Server).accountsBalanceGet, token: true, healthy: true, product: "accounts"},
	"/accounts/get":                               {serve: (*Server).accountsGet, token: true, healthy: true, product: "accounts"},
	"/auth/get":                                   {serve: (*Server).authGet, token: true, healthy: true, product: "auth"},
	"/categories/get":                             {serve: (*Server).categoriesGet, open: true},
	"/identity/get":                               {serve: (*Server).identityGet, token: true, healthy: true, product: "identity"},
	"/identity/match":                             {serve: (*Server).identityMatch, token: true, healthy: true, product: "identity"},
	"/identity/refresh":                           {serve: (*Server).identityRefresh, token: true, healthy: true, product: "identity"},
	"/institutions/get":                           {serve: (*Server).institutionsGet},
	"/institutions/get_by_id":                     {serve: (*Server).institutionsGetByID},
	"/institutions/search":                        {serve: (*Server).institutionsSearch},
	"/item/access_token/invalidate":               {serve: (*Server).itemAccessTokenInvalidate, token: true, durable: true},
	"/item/import":                                {serve: (*Server).itemImport, durable: true},
	"/item/get":                                   {serve: (*Server).itemGet, token: true},
	"/item/public_token/create":                   {serve: (*Server).itemPublicTokenCreate, token: true, durable: true},
	"/item/public_token/exchange":                 {serve: (*Server).itemPublicTokenExchange, durable: true},
	"/item/remove":                                {serve: (*Server).itemRemove, token: true, durable: true},
	"/item/webhook/update":                        {serve: (*Server).itemWebhookUpdate, token: true, durable: true},
	"/link/token/create":                          {serve: (*Server).linkTokenCreate, durable: true},
	"/link/token/get":                             {serve: (*Server).linkTokenGet},
	"/processor/apex/processor_token/create":      {serve: (*Server).processorApexCreate, token: true, healthy: true, product: "auth"},
	"/processor/stripe/bank_account_token/create": {serve: (*Server).processorStripeCreate, token: true, healthy: true, product: "auth"},
	"/processor/token/create":                     {serve: (*Server).processorTokenCreate, token: true, healthy: true, product: "auth"},
	"/sandbox/item/fire_webhook":                  {serve: (*Server).sandboxFireWebhook, token: true, sandbox: true},
	"/sandbox/item/reset_login":                   {serve: (*Server).sandboxResetLogin, token: true, durable: true, sandbox: true},
	"/sandbox/item/set_verification_status":       {serve: (*Server).sandboxSetVerification, token: true, durable: true, sandbox: true},
	"/sandbox/processor_token/create":             {serve: (*Server).sandboxProcessorToken, durable: true, sandbox: true},
	"/sandbox/public_token/create":                {serve: (*Server).sandboxPublicToken, durable: true, sandbox: true},
	"/sandbox/transactions/create":                {serve: (*Server).sandboxTransactionsCreate, token: true, healthy: true, product: "transactions", durable: true, sandbox: true},
	"/sandbox/user/fire_webhook":                  {serve: (*Server).sandboxUserWebhook, sandbox: true},
	"/sandbox/user/reset_login":                   {serve: (*Server).sandboxUserReset, durable: true, sandbox: true},
	"/transactions/get":                           {serve: (*Server).transactionsGet, token: true, healthy: true, product: "transactions"},
	"/transactions/recurring/get":                 {serve: (*Server).transactionsRecurringGet, token: true, healthy: true, product: "transactions"},
	"/transactions/refresh":                       {serve: (*Server).transactionsRefresh, token: true, healthy: true, product: "transactions", durable: true},
	"/transactions/sync":                          {serve: (*Server).transactionsSync, token: true, healthy: true, product: "transactions"},
	"/user/create":                                {serve: (*Server).userCreate, durable: true},
	"/webhook_verification_key/get":               {serve: (*Server).webhookKeyGet},
}
