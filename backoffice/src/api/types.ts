import type { components } from './schema.d.ts';

// The models of the OpenAPI document under the names that this application uses.
type Schemas = components['schemas'];

export type Address = Schemas['AddressResponse'];
export type Attempt = Schemas['AttemptResponse'];
export type AttemptState = Schemas['AttemptState'];
export type Balance = Schemas['BalanceResponse'];
export type Credit = Schemas['CreditResponse'];
export type CreditChange = Schemas['CreditChangeResponse'];
export type Customer = Schemas['CustomerResponse'];
export type Entry = Schemas['NamedEntryResponse'];
export type EntryKind = Schemas['EntryKind'];
export type KnownCustomer = Schemas['KnownCustomerResponse'];
export type NamedAttempt = Schemas['NamedAttemptResponse'];
export type NamedPurchase = Schemas['NamedPurchaseResponse'];
export type OrphanOutcome = Schemas['OrphanOutcome'];
export type OrphanShipment = Schemas['OrphanShipmentResponse'];
export type ProductSnapshot = Schemas['ProductSnapshotResponse'];
export type PromoCode = Schemas['PromoCodeResponse'];
export type PromoCodeDetail = Schemas['PromoCodeDetailResponse'];
export type PromoAction = Schemas['PromoAction'];
export type PromoChange = Schemas['PromoCodeChangeResponse'];
export type PromoState = Schemas['PromoState'];
export type PromoTerms = Schemas['PromoTermsResponse'];
export type Purchase = Schemas['PurchaseResponse'];
export type PurchaseDetail = Schemas['PurchaseDetailResponse'];
export type PurchaseStatus = Schemas['PurchaseStatus'];
export type Refund = Schemas['RefundResponse'];
export type RefundQuote = Schemas['RefundQuoteResponse'];
export type SearchMatch = Schemas['SearchMatchResponse'];
export type SignedStatement = Schemas['SignedStatementResponse'];

export type GrantCreditRequest = Schemas['GrantCreditRequest'];
export type DeductCreditRequest = Schemas['DeductCreditRequest'];
export type CreateRefundRequest = Schemas['CreateRefundRequest'];
export type CreateRefundQuoteRequest = Schemas['CreateRefundQuoteRequest'];
export type CloseOrphanShipmentRequest = Schemas['CloseOrphanShipmentRequest'];
export type ResolveAttemptRequest = Schemas['ResolveAttemptRequest'];
export type CreatePromoCodeRequest = Schemas['CreatePromoCodeRequest'];
export type UpdatePromoCodeRequest = Schemas['UpdatePromoCodeRequest'];
