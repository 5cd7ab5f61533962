// Logging out, wherever the button is: what still waits on this device would go with it, so that is asked about.
import { useRouter } from 'vue-router'
import { ElMessageBox } from 'element-plus'
import { t } from '../i18n'
import { waiting } from '../offline/outbox'
import { logout } from './session'

export function useLeave() {
  const router = useRouter()
  return async function out() {
    const n = waiting.value.length
    const sure = !n || (await ElMessageBox.confirm(t('outbox.leave', { n }), t('logout'), { type: 'warning', confirmButtonText: t('outbox.leave.yes'), cancelButtonText: t('cancel') }).then(() => true, () => false))
    if (!sure) return
    await logout().catch(() => {})
    await router.push({ name: 'login' })
  }
}
