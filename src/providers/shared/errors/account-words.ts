import type { WordRule } from './word-rule.ts';
import { anyOf, statuses } from './word-rule.ts';

/** Words of filters. First of all, since they speak of money, too: "No credits were charged." */
export const FILTER_WORDS: WordRule = {
  kind: 'content',
  at: statuses(400, 403, 422, 451, 500),
  words: anyOf(
    String.raw`\b(?:input|output)_guardrail triggered\b`,
    // DeepSeek has no code of its own.
    String.raw`^content exists risk`,
    String.raw`\b(?:input|prompt|request|content|message|text|output)s?\b~60~\b(?:was|were|been|is|are|got) (?:flagged|moderated)\b`,
    String.raw`\bflagged (?:by|as|for)\b~80~\b(?:moderation|polic|unsafe|safety|violat)`,
    String.raw`\b(?:content|safety|responsible ai|moderation|guardrail)s?[ _-](?:management |filter(?:ing)? |usage )*polic(?:y|ies)\b`,
    String.raw`\b(?:blocked|rejected|refused|filtered|stopped)\b~60~\b(?:by|due to|because of|result of|for|under)\b~40~\b(?:content|safety|moderation|guardrail)`,
    String.raw`\bcontent (?:is |was |has been )?blocked\b|\bcontent flagged\b|\bmoderation failed\b|\bviolated guardrail\b|\b(?:detected|blocked) by (?:the |a |our )?guardrail|\bguardrail\w*\b~60~\b(?:blocked|violat|interven)`,
    String.raw`\b(?:content|prompt|input|request)\b~40~\bviolat\w+\b~60~\b(?:polic(?:y|ies)|guidelines?)\b`,
    String.raw`\b(?:content|prompt|safety) filter\b`,
    String.raw`\b(?:inappropriate|prohibited|sensitive|unsafe|harmful|disallowed) (?:content|words?|text|input)\b|\bmay contain sensitive information\b`,
    String.raw`\brequest was rejected because it was considered high risk\b|\b(?:input|output) new_sensitive\b`,
    '敏感内容|敏感词|不安全或敏感|内容安全|违规内容',
  ),
};

/** Words of an account without money, at whatever status: 429, 401, 403 and 500 have all been seen. */
export const MONEY_WORDS: WordRule = {
  kind: 'quota',
  words: anyOf(
    String.raw`\binsufficient[ _-]?(?:account |user |available |remaining |prepaid )?(?:balance|credits?|funds|quota|credit balance)\b`,
    String.raw`\b(?:balance|credits?|funds|wallet|prepayment)\b~40~\b(?:insufficient|exhausted|depleted|used up|too low|not enough|run out|negative|overdue|is empty|is zero)\b`,
    String.raw`\bnot enough (?:credits?|balance|funds|money)\b|\bquota is not enough\b|\bcredits? (?:have|has) expired\b|\bkey limit exceeded\b`,
    String.raw`\b(?:no|zero) (?:credits?|balance|funds) (?:left|remaining|available)\b|\bno (?:remaining|available) (?:credits?|balance|funds)\b`,
    String.raw`\b(?:out of|used all (?:of )?(?:your |its )?(?:available |included |free )*|exceeded (?:your|its|the) (?:monthly |included |free )*) ?(?:credits?|funds)\b`,
    String.raw`\b(?:does not|doesn['’]t|do not|don['’]t) have (?:any |enough |sufficient )(?:credits?|balance|funds)\b`,
    String.raw`\brequires? more credits\b|\bcan only afford\b|\bpurchase (?:more |additional )?credits\b`,
    String.raw`\bplease (?:recharge|top.?up)\b|\b(?:recharge|top.?up) (?:your|the) (?:account|balance|credits?|wallet)\b`,
    String.raw`\bin arrears\b|\barrearage\b|\boverdue (?:payment|balance|bill|invoice)s?\b|\bunpaid (?:invoice|bill|balance)s?\b|\baccount is in good standing\b|\bpayment required\b`,
    String.raw`\bbilling (?:is |has |was )?(?:not (?:active|enabled)|disabled|hard limit|not been enabled)\b|\benable billing\b|\bbilling to be enabled\b|\bbilling account\b~30~\b(?:disabled|closed|suspended)\b|\bfree tier\b~60~\bexhausted\b`,
    String.raw`\b(?:spend|spending|budget|credit) limits? (?:was |has been |is |have been )?(?:reached|exceeded|hit)\b|\b(?:reached|exceeded|hit) (?:its|your|the) (?:monthly |daily |configured )*(?:spend|spending|budget|credit) (?:limit|cap)\b|\bbudget has been exceeded\b`,
    String.raw`\baccount\b~60~\bsuspended\b~80~\b(?:spend(?:ing)? limit|invoices?|unpaid|payments?)\b`,
    '余额不足|欠费|充值|额度不足|额度已用尽',
  ),
};

/** Words of refused keys, at statuses that do not say so themselves. */
export const KEY_WORDS: WordRule = {
  kind: 'auth',
  at: statuses(400, 403, 404, 422, 500),
  // A link in a request is the caller's, and so is its token.
  unless: /\b(?:image|audio|video|media|file|document)s?(?: url)? token\b|\burl token\b/i,
  words: anyOf(
    String.raw`\b(?:invalid|incorrect|wrong|expired|revoked|missing|unknown|malformed) (?:\w+ )?(?:x-)?(?:api|auth(?:entication|orization)?|access|bearer|subscription|virtual)[ _-]?(?:key|token|credentials?|header)s?\b`,
    String.raw`\b(?:api|access|auth|subscription|bearer)[ _-]?(?:key|token)\b~60~\b(?:not valid|invalid|incorrect|expired|revoked|disabled|deleted|not found|not provided|is required|is missing|been (?:blocked|suspended|leaked)|as leaked)\b`,
    String.raw`\bno (?:api[ _-]?key|auth(?:entication|orization)? (?:credentials?|header)|credentials?) (?:was |were )?(?:provided|found|passed|given|supplied|specified)\b`,
    String.raw`\bauthentication (?:error|failed|fails|failure|required)\b|^unauthori[sz]ed\b|^invalid token\b(?! (?:at|in)\b)|\btoken (?:has |is )?expired\b|\blogin fail`,
    String.raw`\blocation is not supported\b|\bcountry, region, or territory not supported\b|\bno connected db\b|\bthis organization has been disabled\b|\bcredential is only authorized for use with\b`,
  ),
};

/** Words of limits of rates, at statuses that do not say so themselves. */
export const RATE_WORDS: WordRule = {
  kind: 'rate_limit',
  at: statuses(400, 403, 500),
  words: anyOf(
    String.raw`\brate.?limit(?:s|ed|ing)?\b~60~\b(?:exceeded|reached|hit)\b|\b(?:exceeded|reached|hit)\b~60~\brate.?limit`,
    String.raw`\btoo many requests\b|^rate.?limited\b`,
    // Of Azure's gateway before a server.
    String.raw`\bout of (?:call volume|bandwidth) quota\b`,
  ),
};

/** Words of an account that has nothing left, and of limits that refill soon: believed where no time to wait is named. */
export const USED_UP_WORDS: WordRule = {
  kind: 'quota',
  at: statuses(400, 403, 429),
  words: anyOf(
    String.raw`\bexceeded your current quota\b|\bcheck your plan\b|\bquota\b~30~\b(?:exhausted|used up|depleted)\b|\bspecified api usage limits\b`,
    String.raw`\b(?:monthly|weekly|billing|usage|subscription)\b~30~\b(?:limit|quota|allowance|cycle)\b~30~\b(?:reached|exceeded|exhausted|hit|used up)\b`,
    String.raw`\b(?:reached|exceeded|exhausted|hit)\b~30~\b(?:monthly|weekly|billing|usage|subscription)\b~20~\b(?:limit|quota|allowance)\b`,
  ),
};
