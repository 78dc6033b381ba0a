// Listings come as streams to our own reader, behind the SDK's signing and retries: what the SDK answers has the page in `listing`.
import type { Readable } from 'node:stream'
import type { RequestPolicyFactory, WebResource } from '@azure/storage-blob'
import { piecesOf } from './pieces.ts'
import { type Listing, ListingError, readListing } from './read-listing.ts'

/** The SDK repeats what has no answer; an answer that is cut while it is read is asked for here again. */
const TRIES = 4

const isListing = ({ method, url }: WebResource): boolean =>
  method === 'GET' && /[?&]comp=list(?:&|$)/.test(url) && /[?&]restype=container(?:&|$)/.test(url)

export const readListings: RequestPolicyFactory = {
  create: (next) => ({
    async sendRequest(request) {
      if (!isListing(request)) return next.sendRequest(request)
      request.streamResponseStatusCodes = new Set([200])
      for (let attempt = 1; ; attempt++) {
        const response = await next.sendRequest(request)
        const stream = response.readableStreamBody
        if (stream === undefined) return response
        try {
          stream.setEncoding('utf8')
          response.parsedBody = { listing: await readListing(piecesOf<string>(stream as Readable)), segment: NOTHING }
          return response
        } catch (error) {
          const isFinal = error instanceof ListingError && !error.isCut
          if (isFinal || attempt === TRIES || request.abortSignal?.aborted) throw error
        }
      }
    },
  }),
}

/** What the SDK looks for in its own form. */
const NOTHING = { blobItems: [], blobPrefixes: [] }

/** @param page an answer of `listBlobsFlat` or `listBlobsByHierarchy` of a client that has the policy */
export function listingOf(page: object): Listing {
  const { listing } = page as { readonly listing?: Listing }
  if (listing === undefined) throw new Error('The SDK no longer hands on what a policy has read of a listing.')
  return listing
}
