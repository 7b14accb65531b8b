import { Navigate, Outlet, type RouteObject } from 'react-router';

import { ToastProvider } from '../ui/toast.tsx';
import { Loading } from '../ui/states.tsx';
import { NotFound, RouteError } from './errors.tsx';
import { Shell } from './shell.tsx';

/** All addresses of the application. Each page is loaded when it is first opened. */
export const routes: RouteObject[] = [
  {
    element: (
      <ToastProvider>
        <Outlet />
      </ToastProvider>
    ),
    errorElement: <RouteError />,
    hydrateFallbackElement: <Loading label="Loading Till" />,
    children: [
      {
        element: <Shell />,
        children: [
          { index: true, element: <Navigate to="/customers" replace /> },
          { path: 'signed-in', element: <Navigate to="/customers" replace /> },
          { path: 'customers', lazy: async () => ({ Component: (await import('../pages/customers/index.tsx')).CustomersPage }) },
          { path: 'customers/:customerId', lazy: async () => ({ Component: (await import('../pages/customer/index.tsx')).CustomerPage }) },
          { path: 'purchases', lazy: async () => ({ Component: (await import('../pages/purchases/index.tsx')).PurchasesPage }) },
          { path: 'purchases/:purchaseId', lazy: async () => ({ Component: (await import('../pages/purchase/index.tsx')).PurchasePage }) },
          { path: 'attempts', lazy: async () => ({ Component: (await import('../pages/attempts/index.tsx')).AttemptsPage }) },
          { path: 'attempts/:attemptId', lazy: async () => ({ Component: (await import('../pages/attempt/index.tsx')).AttemptPage }) },
          { path: 'promo-codes', lazy: async () => ({ Component: (await import('../pages/promo-codes/index.tsx')).PromoCodesPage }) },
          { path: 'promo-codes/:code', lazy: async () => ({ Component: (await import('../pages/promo-code/index.tsx')).PromoCodePage }) },
          { path: '*', element: <NotFound /> },
        ],
      },
    ],
  },
];
